#include "wire/base36.h"

namespace dmicro {
namespace {

constexpr int kNotADigit = 36;

int DigitOf(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  const uint8_t lower = c | 0x20;
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : kNotADigit;
}

}  // namespace

bool ReadBase36(Bytes text, int32_t* value) {
  const uint8_t* at = text.data;
  const uint8_t* end = text.data + text.size;
  const bool negative = at != end && *at == '-';
  if (at != end && (*at == '-' || *at == '+')) at++;
  if (at == end) return false;
  const int64_t limit = negative ? int64_t{1} << 31 : (int64_t{1} << 31) - 1;
  int64_t magnitude = 0;
  for (; at != end; at++) {
    const int digit = DigitOf(*at);
    if (digit == kNotADigit) return false;
    magnitude = magnitude * 36 + digit;
    if (magnitude > limit) return false;
  }
  *value = static_cast<int32_t>(negative ? -magnitude : magnitude);
  return true;
}

uint8_t* WriteBase36(uint8_t* out, int32_t value) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  uint32_t rest = static_cast<uint32_t>(value);
  if (value < 0) {
    *out++ = '-';
    rest = 0 - rest;
  }
  uint8_t digits[kBase36Max];
  size_t count = 0;
  do {
    digits[count++] = static_cast<uint8_t>(kDigits[rest % 36]);
    rest /= 36;
  } while (rest != 0);
  while (count != 0) *out++ = digits[--count];
  return out;
}

}  // namespace dmicro
