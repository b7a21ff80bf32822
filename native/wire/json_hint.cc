#include "wire/json_hint.h"

#include "wire/word_scan.h"

namespace dmicro {
namespace {

// Longer bodies are not scanned: what a hint saves their decoder is little beside decoding.
constexpr size_t kMaxScan = 64 * 1024;

bool IsAscii(Bytes bytes) {
  return (FoldWords(bytes, [](uint64_t word) { return word; }) & kHighBits) == 0;
}

// Whether every byte is ASCII that stands in a JSON string as it is.
bool IsPlain(Bytes bytes) {
  return FoldWords(bytes, [](uint64_t word) { return Escaped(word) | (word & kHighBits); }) == 0;
}

}  // namespace

TextHint HintOf(Bytes body) {
  if (body.size > kMaxScan) return TextHint::kNothing;
  const bool quoted = body.size >= 2 && body.data[0] == '"' && body.data[body.size - 1] == '"';
  if (quoted && IsPlain({body.data + 1, body.size - 2})) return TextHint::kQuoted;
  return IsAscii(body) ? TextHint::kAscii : TextHint::kNothing;
}

}  // namespace dmicro
