#pragma once

#include <uv.h>

#include <array>
#include <vector>

#include "io/ring_layout.h"
#include "wire/bytes.h"

namespace dmicro {

// Bodies up to this size are copied behind their header; the kernel reads larger ones where they are.
inline constexpr size_t kCopyBody = 4 * 1024;

// The buffers of one write: headers and small bodies side by side in `staging`, large bodies by reference.
class Gather {
 public:
  explicit Gather(std::vector<uint8_t>* staging) : staging_(*staging) { Reset(); }

  bool Fits(size_t staged) const { return count_ + 2 < buffers_.size() && staging_.size() - used_ >= staged; }
  uint8_t* end() { return staging_.data() + used_; }

  // Appends `size` bytes, which the caller has written at end(). `reply`: whether they are bytes of a reply.
  void AppendStaged(size_t size, bool reply) {
    DMICRO_ASSERT(count_ < buffers_.size() && size <= staging_.size() - used_);
    char* const start = reinterpret_cast<char*>(end());
    if (count_ != 0 && buffers_[count_ - 1].base + buffers_[count_ - 1].len == start) {
      buffers_[count_ - 1].len += size;
    } else {
      buffers_[count_++] = uv_buf_init(start, static_cast<unsigned>(size));
    }
    used_ += size;
    size_ += size;
    if (reply) replies_ += size;
  }

  void AppendReference(Bytes bytes, bool reply) {
    DMICRO_ASSERT(count_ < buffers_.size() && bytes.size <= kMaxBody);
    char* const start = reinterpret_cast<char*>(const_cast<uint8_t*>(bytes.data));  // libuv only reads the bytes
    buffers_[count_++] = uv_buf_init(start, static_cast<unsigned>(bytes.size));
    size_ += bytes.size;
    if (reply) replies_ += bytes.size;
  }

  void Reset() {
    count_ = 0;
    used_ = size_ = replies_ = 0;
  }

  const uv_buf_t* buffers() const { return buffers_.data(); }
  unsigned count() const { return count_; }
  size_t size() const { return size_; }
  size_t replies() const { return replies_; }

 private:
  std::vector<uint8_t>& staging_;
  std::array<uv_buf_t, 128> buffers_;
  unsigned count_ = 0;
  size_t used_ = 0;
  size_t size_ = 0;
  size_t replies_ = 0;
};

}  // namespace dmicro
