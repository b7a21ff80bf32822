#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Tests of eight bytes at a time.

constexpr uint64_t Each(uint8_t byte) { return 0x0101010101010101u * byte; }
inline constexpr uint64_t kHighBits = Each(0x80);

// The high bit of each byte that is 0, and perhaps of bytes above such a byte. The result is zero exactly when no byte
// is 0.
constexpr uint64_t ZeroBytes(uint64_t word) { return (word - Each(1)) & ~word & kHighBits; }

// Nonzero exactly when JSON escapes a byte of `word`: a control character, `"` or `\`.
constexpr uint64_t Escaped(uint64_t word) {
  const uint64_t control = (word - Each(' ')) & ~word & kHighBits;
  return control | ZeroBytes(word ^ Each('"')) | ZeroBytes(word ^ Each('\\'));
}

// Folds `bytes` eight at a time; the last word is filled up with spaces, which are ASCII and need no escape.
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

}  // namespace dmicro
