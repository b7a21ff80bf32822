#include <poll.h>

#include <algorithm>

#include "io/reactor.h"

namespace dmicro {
namespace {

// Successful reads before the other phases of the loop run, and failed reads before its other sockets are polled.
constexpr int kMaxHotReads = 16;
constexpr int kPollEvery = 4;

}  // namespace

// A blocked thread takes tens of microseconds to wake, a polling thread none. The loop is polled only after a turn with
// traffic, never past the next timer, and not while anything else waits for the loop (uv_backend_timeout is 0 then). A
// connection that alone brings messages is read right here, which saves two system calls per message; the descriptor of
// the loop reports all others.
void Reactor::Spin() {
  pollfd others{uv_backend_fd(loop_), POLLIN, 0};
  int hot_reads = 0;
  for (int timeout; (timeout = uv_backend_timeout(loop_)) != 0;) {
    uint64_t limit = busy_poll_ns_;
    if (timeout > 0) limit = std::min<uint64_t>(limit, static_cast<uint64_t>(timeout) * 1'000'000);
    const uint64_t end = uv_hrtime() + limit;
    bool read = false;
    for (int i = 1; !read; i++) {
      read = ReadHot();
      if (read) break;
      if (i % kPollEvery == 0 && (poll(&others, 1, 0) != 0 || uv_hrtime() >= end)) return;
    }
    if (!inbox_.Empty()) Deliver(false);
    uv_update_time(loop_);
    if (++hot_reads == kMaxHotReads) {
      uv_idle_start(&backlog_, [](uv_idle_t*) {});  // run one turn without blocking, then poll again
      return;
    }
  }
}

// Reads the connection that brought the messages of the last batch. Returns false when it may not be read or has no
// bytes.
bool Reactor::ReadHot() {
  Connection* const connection = table_.Find(hot_slot_, hot_generation_);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return false;
  if (!connection->MayRead()) return false;
  uv_buf_t buffer;
  OnReadable(connection, &buffer);
  const ssize_t n = TakeReceived();
  if (n == UV_ENOBUFS) return false;  // no bytes yet; libuv finds an end
  OnRead(connection, n);
  return true;
}

}  // namespace dmicro
