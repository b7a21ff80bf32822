#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "common/fail.h"

namespace dmicro_bench {

// One connection's half-received frame. Reads go into a scratch area shared by all connections, which stays
// in the cache; only what is left of a partial frame moves here, and while there is some, reads append to it
// directly, so that a large frame is not copied once per read.
class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer() { free(data_); }

  // Where the next read goes.
  std::span<char> Space(std::span<char> scratch) {
    if (size_ == 0) return scratch;
    if (capacity_ - size_ < kRoom) Reserve(capacity_ * 2 + kRoom);
    return {data_ + size_, capacity_ - size_};
  }

  // Everything to parse, after `count` bytes were read into Space(scratch).
  std::string_view Received(std::span<char> scratch, size_t count) {
    if (size_ == 0) return {scratch.data(), count};
    size_ += count;
    return {data_, size_};
  }

  // `rest` is the unparsed end of what Received() returned.
  void Keep(std::string_view rest) {
    if (rest.size() > capacity_) Reserve(rest.size() + kRoom);
    if (!rest.empty() && rest.data() != data_) memmove(data_, rest.data(), rest.size());
    size_ = rest.size();
  }

 private:
  static constexpr size_t kRoom = 32 * 1024;

  void Reserve(size_t capacity) {
    data_ = static_cast<char*>(realloc(data_, capacity));
    if (data_ == nullptr) Fail("out of memory: %zu bytes of input", capacity);
    capacity_ = capacity;
  }

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace dmicro_bench
