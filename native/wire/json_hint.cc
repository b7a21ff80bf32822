#include "wire/json_hint.h"

namespace dmicro {
namespace {

// Longer bodies are not scanned: what a hint saves their decoder is little beside decoding.
constexpr size_t kMaxScan = 64 * 1024;

constexpr uint64_t Each(uint8_t byte) { return 0x0101010101010101u * byte; }
constexpr uint64_t kHighBits = Each(0x80);

// The high bit of each byte that is 0, and perhaps of bytes above such a byte. The result is zero exactly when no byte
// is 0.
constexpr uint64_t ZeroBytes(uint64_t word) { return (word - Each(1)) & ~word & kHighBits; }

// Nonzero exactly when a byte of `word` is a control character, `"`, `\` or not ASCII.
constexpr uint64_t Special(uint64_t word) {
  const uint64_t control = (word - Each(' ')) & ~word;
  return ((control | word) & kHighBits) | ZeroBytes(word ^ Each('"')) | ZeroBytes(word ^ Each('\\'));
}

// Folds `bytes` eight at a time; the last word is filled up with spaces, which are ASCII and plain.
template <typename Fold>
uint64_t FoldWords(Bytes bytes, Fold fold) {
  uint64_t seen = 0;
  size_t i = 0;
  uint64_t word;
  for (; i + sizeof word <= bytes.size; i += sizeof word) {
    std::memcpy(&word, bytes.data + i, sizeof word);
    seen |= fold(word);
  }
  word = Each(' ');
  if (i < bytes.size) std::memcpy(&word, bytes.data + i, bytes.size - i);
  return seen | fold(word);
}

bool IsAscii(Bytes bytes) {
  return (FoldWords(bytes, [](uint64_t word) { return word; }) & kHighBits) == 0;
}

bool IsPlain(Bytes bytes) { return FoldWords(bytes, Special) == 0; }

}  // namespace

TextHint HintOf(Bytes body) {
  if (body.size > kMaxScan) return TextHint::kNothing;
  const bool quoted = body.size >= 2 && body.data[0] == '"' && body.data[body.size - 1] == '"';
  if (quoted && IsPlain({body.data + 1, body.size - 2})) return TextHint::kQuoted;
  return IsAscii(body) ? TextHint::kAscii : TextHint::kNothing;
}

}  // namespace dmicro
