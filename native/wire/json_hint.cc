#include "wire/json_hint.h"

namespace dmicro {
namespace {

// Longer bodies are not searched: what a decoder saves on them is small beside decoding.
constexpr size_t kMaxScan = 64 * 1024;

bool IsAscii(Bytes bytes) {
  uint8_t seen = 0;
  for (size_t i = 0; i < bytes.size; i++) seen |= bytes.data[i];
  return seen < 0x80;
}

bool IsPlain(Bytes bytes) {
  bool special = false;
  for (size_t i = 0; i < bytes.size; i++) {
    const uint8_t c = bytes.data[i];
    // As a signed byte, what is not ASCII is below ' ' too. No early exit: the loop becomes vector code.
    special |= (static_cast<int8_t>(c) < ' ') | (c == '"') | (c == '\\');
  }
  return !special;
}

}  // namespace

TextHint HintOf(Bytes body) {
  if (body.size > kMaxScan) return TextHint::kNothing;
  const bool quoted = body.size >= 2 && body.data[0] == '"' && body.data[body.size - 1] == '"';
  if (quoted && IsPlain({body.data + 1, body.size - 2})) return TextHint::kQuoted;
  return IsAscii(body) ? TextHint::kAscii : TextHint::kNothing;
}

}  // namespace dmicro
