#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace dmicro_bench {

// The raw protocol writes a seq (int32) as lower-case base-36 text with an optional leading '-'.

inline constexpr size_t kMaxSeqText = 7;  // "-zik0zk"

namespace base36_internal {

// Digits two at a time: half the divisions.
inline constexpr auto kPairs = [] {
  constexpr char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::array<char, 36 * 36 * 2> pairs{};
  for (size_t i = 0; i < 36 * 36; i++) {
    pairs[i * 2] = digits[i / 36];
    pairs[i * 2 + 1] = digits[i % 36];
  }
  return pairs;
}();

inline constexpr uint8_t kNoDigit = 255;
inline constexpr auto kValues = [] {
  std::array<uint8_t, 256> values{};
  for (auto& value : values) value = kNoDigit;
  for (uint8_t i = 0; i < 10; i++) values[size_t{'0'} + i] = i;
  for (uint8_t i = 0; i < 26; i++) {
    values[size_t{'a'} + i] = static_cast<uint8_t>(10 + i);
    values[size_t{'A'} + i] = static_cast<uint8_t>(10 + i);
  }
  return values;
}();

}  // namespace base36_internal

// Writes up to kMaxSeqText characters and returns how many.
inline size_t EncodeSeq(int32_t seq, char* out) {
  char text[8];
  char* start = text + sizeof text;
  uint32_t rest = seq < 0 ? 0u - static_cast<uint32_t>(seq) : static_cast<uint32_t>(seq);
  do {
    const uint32_t pair = rest % (36 * 36);
    rest /= 36 * 36;
    start -= 2;
    memcpy(start, &base36_internal::kPairs[size_t{pair} * 2], 2);
  } while (rest != 0);
  if (*start == '0' && start + 1 != text + sizeof text) start++;
  if (seq < 0) *--start = '-';
  const size_t size = static_cast<size_t>(text + sizeof text - start);
  memcpy(out, start, size);
  return size;
}

// False for empty text, a foreign character, or a number beyond int32.
inline bool DecodeSeq(std::string_view text, int32_t* seq) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return false;
  int64_t value = 0;
  for (const char c : text) {
    const uint8_t digit = base36_internal::kValues[static_cast<uint8_t>(c)];
    if (digit == base36_internal::kNoDigit) return false;
    value = value * 36 + digit;
    if (value > int64_t{INT32_MAX} + 1) return false;
  }
  if (negative) value = -value;
  if (value > INT32_MAX) return false;
  *seq = static_cast<int32_t>(value);
  return true;
}

}  // namespace dmicro_bench
