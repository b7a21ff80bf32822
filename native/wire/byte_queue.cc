#include "wire/byte_queue.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace dmicro {

ByteQueue::~ByteQueue() { std::free(data_); }

void ByteQueue::Append(Bytes bytes) {
  if (bytes.size == 0) return;
  DMICRO_ASSERT(data_ == nullptr || bytes.data + bytes.size <= data_ || bytes.data >= data_ + capacity_);
  if (capacity_ - size_ < bytes.size) {
    capacity_ = std::max(capacity_ + capacity_ / 2, size_ + bytes.size);
    data_ = static_cast<uint8_t*>(std::realloc(data_, capacity_));
    if (data_ == nullptr) std::abort();  // out of memory: abort, as V8 and new do
  }
  std::memcpy(data_ + size_, bytes.data, bytes.size);
  size_ += bytes.size;
}

void ByteQueue::Swap(ByteQueue& other) {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

uint8_t* ByteQueue::Release() {
  uint8_t* const memory = std::exchange(data_, nullptr);
  size_ = capacity_ = 0;
  return memory;
}

void ByteQueue::Clear() {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace dmicro
