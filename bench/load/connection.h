#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/input_buffer.h"
#include "common/output_queue.h"
#include "run.h"
#include "slots.h"
#include "tls.h"

namespace dmicro_bench {

// One connection with its calls: checks every REPLY and, in a closed loop, answers it with the next CALL. What these
// are as bytes is its protocol's (wire_connection.h); nothing is virtual that happens for each reply.
class Connection {
 public:
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int Fd() const { return fd_; }
  uint32_t Index() const { return index_; }

  // Closed loop: queues the first call of every slot.
  void Start(uint64_t now);
  // Open loop: queues a call that is timed from `due`, unless all that may be are in flight.
  bool TryCall(uint64_t due);
  // With the TLS of `context` from here on: makes the handshake, which blocks, and the socket non-blocking.
  void Secure(TlsContext* context) { tls_ = context->Connect(fd_); }
  Flush SendQueued() {
    if (tls_ == nullptr) return output_.SendTo(fd_);
    return output_.SendBy([this](const char* bytes, size_t size) { return tls_->Write(bytes, size); });
  }
  Flush SendQueuedBlocking() { return output_.SendAllTo(fd_); }
  bool HasQueued() const { return !output_.Empty(); }

  // One read into the connection's buffer, with recv's flags and result. With a result above 0, `*full` tells
  // whether it used up the buffer, so that there may be more.
  ssize_t Receive(int flags, bool* full);
  // Checks and settles every whole REPLY received, and queues the calls that follow.
  virtual void SettleReceived(uint64_t now) = 0;

 protected:
  Connection(Run* run, int fd, uint32_t index, uint32_t in_flight);

  virtual void QueueCall(uint32_t slot, uint64_t since) = 0;

  Run* run_;
  int fd_;
  uint32_t index_;
  std::unique_ptr<Tls> tls_;
  Slots slots_;
  std::vector<uint32_t> free_slots_;  // open loop only: in a closed loop a slot is never free
  InputBuffer input_;
  OutputQueue output_;
  std::string_view received_;
};

}  // namespace dmicro_bench
