#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dmicro_bench {

// Seven bits to a byte, the lowest first; all but the last byte have their top bit set.
class Varint {
 public:
  explicit Varint(uint32_t value) {
    for (; value >= 0x80; value >>= 7) bytes_[size_++] = static_cast<char>(value | 0x80);
    bytes_[size_++] = static_cast<char>(value);
  }
  std::string_view Text() const { return {bytes_, size_}; }

 private:
  char bytes_[5];
  size_t size_ = 0;
};

// Takes one from the start of `rest`; false when it is cut off or too long.
inline bool TakeVarint(std::string_view* rest, uint64_t* value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64 && !rest->empty(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(rest->front());
    rest->remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace dmicro_bench
