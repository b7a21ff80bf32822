#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/input_buffer.h"
#include "common/output_queue.h"
#include "common/raw_frame.h"
#include "run.h"
#include "slots.h"

namespace dmicro_bench {

// One connection with its calls: checks every REPLY and, in a closed loop, answers it with the next CALL.
class Connection {
 public:
  Connection(Run* run, int fd, uint32_t index, uint32_t in_flight);

  int Fd() const { return fd_; }
  uint32_t Index() const { return index_; }

  // Closed loop: queues the first call of every slot.
  void Start(uint64_t now);
  // Open loop: queues a call that is timed from `due`, unless all that may be are in flight.
  bool TryCall(uint64_t due);
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
  void QueueCall(uint32_t slot, uint64_t since);

  Run* run_;
  int fd_;
  uint32_t index_;
  Slots slots_;
  std::vector<uint32_t> free_slots_;  // open loop only: in a closed loop a slot is never free
  InputBuffer input_;
  OutputQueue output_;
  std::string_view received_;
};

}  // namespace dmicro_bench
