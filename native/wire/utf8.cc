#include "wire/utf8.h"

namespace dmicro {
namespace {

bool EightAscii(const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return (word & 0x8080808080808080) == 0;
}

}  // namespace

bool Utf8Check::Add(Bytes bytes) {
  const uint8_t* at = bytes.data;
  const uint8_t* const end = at + bytes.size;
  while (at != end) {
    if (missing_ == 0) {
      while (end - at >= 8 && EightAscii(at)) at += 8;
      if (at == end) break;
    }
    const uint8_t byte = *at++;
    if (missing_ != 0) {
      if (byte < low_ || byte > high_) return false;
      missing_--;
      low_ = 0x80;
      high_ = 0xbf;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      // The second byte excludes what is overlong, a surrogate, or too large.
      if (byte == 0xe0) low_ = 0xa0;
      if (byte == 0xed) high_ = 0x9f;
      if (byte == 0xf0) low_ = 0x90;
      if (byte == 0xf4) high_ = 0x8f;
    }
  }
  return true;
}

bool Utf8Check::Finish() {
  const bool whole = missing_ == 0;
  *this = {};
  return whole;
}

}  // namespace dmicro
