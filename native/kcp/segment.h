#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "wire/bytes.h"

namespace dmicro {

// All numbers of KCP are little-endian.
inline uint32_t LoadLittle16(const uint8_t* p) { return static_cast<uint32_t>(p[0] | p[1] << 8); }
inline uint32_t LoadLittle32(const uint8_t* p) { return LoadLittle16(p) | LoadLittle16(p + 2) << 16; }
inline void StoreLittle16(uint8_t* p, uint32_t value) {
  p[0] = static_cast<uint8_t>(value);
  p[1] = static_cast<uint8_t>(value >> 8);
}
inline void StoreLittle32(uint8_t* p, uint32_t value) {
  StoreLittle16(p, value);
  StoreLittle16(p + 2, value >> 16);
}

// Commands of segments. The last two are ours: Go drops segments with commands that it does not know.
enum KcpCommand : uint8_t {
  kKcpPush = 81,
  kKcpAck = 82,
  kKcpAsk = 83,    // asks for the window
  kKcpTell = 84,   // tells the window
  kKcpEnd = 85,    // nothing follows the number `sn`
  kKcpReset = 86,  // there is no conversation for the segment with this `sn` and `ts`
};

// The header of a segment, before `size` bytes of data.
struct SegmentHeader {
  static constexpr size_t kSize = 24;

  uint32_t conv = 0;
  uint8_t command = 0;
  uint8_t fragment = 0;
  uint16_t window = 0;
  uint32_t ts = 0;
  uint32_t sn = 0;
  uint32_t una = 0;
  uint32_t size = 0;

  static SegmentHeader Load(const uint8_t* p) {
    return {LoadLittle32(p),
            p[4],
            p[5],
            static_cast<uint16_t>(LoadLittle16(p + 6)),
            LoadLittle32(p + 8),
            LoadLittle32(p + 12),
            LoadLittle32(p + 16),
            LoadLittle32(p + 20)};
  }
  void Store(uint8_t* p) const {
    StoreLittle32(p, conv);
    p[4] = command;
    p[5] = fragment;
    StoreLittle16(p + 6, window);
    StoreLittle32(p + 8, ts);
    StoreLittle32(p + 12, sn);
    StoreLittle32(p + 16, una);
    StoreLittle32(p + 20, size);
  }
};

// How far `later` lies behind `earlier`; both wrap around.
inline int32_t Distance(uint32_t later, uint32_t earlier) { return static_cast<int32_t>(later - earlier); }

// Bytes of one segment, owned.
class SegmentData {
 public:
  SegmentData() = default;
  SegmentData(SegmentData&& other) noexcept { *this = std::move(other); }
  SegmentData& operator=(SegmentData&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~SegmentData() { std::free(data_); }

  uint8_t* data() { return data_; }
  size_t size() const { return size_; }

  // Requires that there is room for `bytes` below `limit`.
  void Append(Bytes bytes, size_t limit) {
    DMICRO_ASSERT(size_ + bytes.size <= limit);
    if (bytes.size == 0) return;
    if (size_ + bytes.size > capacity_) {
      capacity_ = static_cast<uint32_t>(capacity_ == 0 ? bytes.size : limit);
      data_ = static_cast<uint8_t*>(std::realloc(data_, capacity_));
      if (data_ == nullptr) std::abort();  // out of memory: abort, as V8 and new do
    }
    std::memcpy(data_ + size_, bytes.data, bytes.size);
    size_ += static_cast<uint32_t>(bytes.size);
  }
  void Free() {
    std::free(data_);
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

 private:
  uint8_t* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace dmicro
