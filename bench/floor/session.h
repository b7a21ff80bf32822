#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

#include "common/input_buffer.h"
#include "common/output_queue.h"
#include "common/raw_frame.h"
#include "methods.h"
#include "object_echo.h"

namespace dmicro_bench {

// One client: received bytes in, REPLY frames out. Knows its socket only to read and write it.
class Session {
 public:
  // `objects` answers bodies that are objects; without it every body is sent back as it came.
  Session(int fd, const Methods& methods, std::span<char> scratch, ObjectEcho* objects = nullptr)
      : fd_(fd), methods_(methods), scratch_(scratch), objects_(objects) {}

  int Fd() const { return fd_; }
  bool HasUnsent() const { return !output_.Empty(); }
  Flush SendUnsent() { return output_.SendTo(fd_); }
  Flush SendUnsentBlocking() { return output_.SendAllTo(fd_); }

  // One recv with these flags, and its result. With a result above 0, `*full` tells whether it used up the
  // buffer, so that there may be more.
  ssize_t Receive(int flags, bool* full);
  // Queues the reply to every whole frame received. False when the peer broke the protocol: drop it.
  bool AnswerReceived();

 private:
  bool Answer(const RawFrame& frame);

  int fd_;
  const Methods& methods_;
  std::span<char> scratch_;
  ObjectEcho* objects_;
  InputBuffer input_;
  OutputQueue output_;
  std::string_view received_;
};

}  // namespace dmicro_bench
