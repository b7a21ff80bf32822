#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "call_frame.h"
#include "common/input_buffer.h"
#include "common/output_queue.h"
#include "common/raw_frame.h"
#include "histogram.h"
#include "slots.h"

namespace dmicro_bench {

// What the connections of a run share.
struct Run {
  const CallFrame& call;
  std::span<char> scratch;
  Histogram latencies;
  uint64_t outstanding = 0;
  bool draining = false;  // after the window: no new calls, but those outstanding must still be answered
};

// One connection with its calls: checks every REPLY and answers it with the next CALL.
class Connection {
 public:
  Connection(Run* run, int fd, uint32_t index, uint32_t in_flight)
      : run_(run), fd_(fd), index_(index), slots_(in_flight) {}

  int Fd() const { return fd_; }
  uint32_t Index() const { return index_; }

  // Queues the first call of every slot.
  void Start(uint64_t now);
  Flush SendQueued() { return output_.SendTo(fd_); }
  Flush SendQueuedBlocking() { return output_.SendAllTo(fd_); }
  bool HasQueued() const { return !output_.Empty(); }

  // One read into the connection's buffer, with recv's flags and result. With a result above 0, `*full` tells
  // whether it used up the buffer, so that there may be more.
  ssize_t Receive(int flags, bool* full);
  // Checks and settles every whole REPLY received, and queues the calls that follow.
  void SettleReceived(uint64_t now);

 private:
  void Settle(const RawFrame& reply, std::string_view bytes, uint64_t now);
  void QueueCall(uint32_t slot, uint64_t now);

  Run* run_;
  int fd_;
  uint32_t index_;
  Slots slots_;
  InputBuffer input_;
  OutputQueue output_;
  std::string_view received_;
};

}  // namespace dmicro_bench
