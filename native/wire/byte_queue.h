#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Bytes that wait for a peer that reads too slowly. Append-only: the owner takes all of them at once when the socket is
// ready again, so that bytes passed to the kernel never move.
class ByteQueue {
 public:
  ByteQueue() = default;
  ~ByteQueue();
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;

  void Append(Bytes bytes);
  void Swap(ByteQueue& other);
  // Frees the memory: an idle connection holds none.
  void Clear();
  // Drops the bytes and keeps the memory, for queues that all connections share.
  void Rewind() { size_ = 0; }

  // Gives the memory, allocated with malloc, to the caller.
  uint8_t* Release();

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace dmicro
