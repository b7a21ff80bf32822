#pragma once

#include <errno.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "common/fail.h"

namespace dmicro_bench {

enum class Flush { kAll, kPart, kClosed };

// One connection's unsent bytes: frames are built in place, then leave in one send.
class OutputQueue {
 public:
  OutputQueue() = default;
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue() { free(data_); }

  bool Empty() const { return begin_ == end_; }

  // Room for `size` bytes at the end; Commit() what was written of it.
  char* Room(size_t size) {
    if (capacity_ - end_ < size) MakeRoom(size);
    return data_ + end_;
  }
  void Commit(size_t size) { end_ += size; }

  // One send without blocking; errno tells why it is kClosed.
  Flush SendTo(int fd) { return Send(fd, MSG_DONTWAIT); }
  // One call of `write`, which takes bytes and their number, with send's result and errno.
  template <typename Write>
  Flush SendBy(Write write) {
    if (Empty()) return Flush::kAll;
    const ssize_t sent = write(data_ + begin_, end_ - begin_);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? Flush::kPart : Flush::kClosed;
    begin_ += static_cast<size_t>(sent);
    if (begin_ != end_) return Flush::kPart;
    begin_ = end_ = 0;
    return Flush::kAll;
  }
  // Blocks until all is sent.
  Flush SendAllTo(int fd) {
    Flush result;
    do {
      result = Send(fd, 0);
    } while (result == Flush::kPart);
    return result;
  }

 private:
  Flush Send(int fd, int flags) {
    return SendBy([=](const char* bytes, size_t size) { return send(fd, bytes, size, MSG_NOSIGNAL | flags); });
  }

  [[gnu::noinline]] void MakeRoom(size_t size) {
    // Only when it moves no more bytes than were sent since: otherwise a long queue would be moved per frame.
    if (begin_ != 0 && begin_ >= end_ - begin_) {
      memmove(data_, data_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (capacity_ - end_ >= size) return;
    capacity_ = (end_ + size) * 2;
    data_ = static_cast<char*>(realloc(data_, capacity_));
    if (data_ == nullptr) Fail("out of memory: %zu bytes of output", capacity_);
  }

  char* data_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace dmicro_bench
