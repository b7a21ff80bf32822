#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

#include "common/input_buffer.h"
#include "common/output_queue.h"
#include "common/raw_frame.h"
#include "methods.h"

namespace dmicro_bench {

// One client: received bytes in, REPLY frames out. Knows its socket only to read and write it.
class Session {
 public:
  Session(int fd, const Methods& methods, std::span<char> scratch) : fd_(fd), methods_(methods), scratch_(scratch) {}

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
  InputBuffer input_;
  OutputQueue output_;
  std::string_view received_;
};

}  // namespace dmicro_bench
