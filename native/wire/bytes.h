#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wire/check.h"

namespace dmicro {

// A borrowed run of bytes.
struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
};

inline uint32_t LoadBig32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 |
         p[3];
}

inline uint8_t* StoreBig16(uint8_t* p, uint32_t value) {
  DMICRO_ASSERT(value <= 0xffff);
  p[0] = static_cast<uint8_t>(value >> 8);
  p[1] = static_cast<uint8_t>(value);
  return p + 2;
}

inline uint8_t* StoreBig32(uint8_t* p, uint32_t value) {
  p[0] = static_cast<uint8_t>(value >> 24);
  p[1] = static_cast<uint8_t>(value >> 16);
  return StoreBig16(p + 2, value & 0xffff);
}

inline uint8_t* StoreBytes(uint8_t* p, Bytes bytes) {
  if (bytes.size != 0) std::memcpy(p, bytes.data, bytes.size);
  return p + bytes.size;
}

template <size_t N>
inline bool Equals(Bytes bytes, const char (&text)[N]) {
  return bytes.size == N - 1 && std::memcmp(bytes.data, text, N - 1) == 0;
}

// The only parser of received bytes: every read checks how many bytes are left, and returns false when they do not
// suffice.
class Reader {
 public:
  explicit Reader(Bytes bytes) : at_(bytes.data), end_(bytes.data + bytes.size) {}

  bool U8(uint8_t* value) {
    if (at_ == end_) return false;
    *value = *at_++;
    return true;
  }

  // A run of bytes behind its 8-bit length.
  bool Bytes8(Bytes* bytes) {
    uint8_t size;
    return U8(&size) && Take(size, bytes);
  }

  // A run of bytes behind its 16-bit length.
  bool Bytes16(Bytes* bytes) {
    uint8_t high, low;
    return U8(&high) && U8(&low) && Take(static_cast<size_t>(high) << 8 | low, bytes);
  }

  Bytes Rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }

 private:
  bool Take(size_t size, Bytes* bytes) {
    if (static_cast<size_t>(end_ - at_) < size) return false;
    *bytes = {at_, size};
    at_ += size;
    return true;
  }

  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace dmicro
