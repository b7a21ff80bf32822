#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "io/reactor.h"

namespace dmicro {
namespace {

// Successful reads between two visits to the loop's other phases, and failed ones between two looks at its other
// sockets.
constexpr int kMaxHotReads = 16;
constexpr int kPollEvery = 4;

}  // namespace

// A blocked thread costs tens of microseconds to wake; one that polls costs none. Only after a turn with traffic, never
// past the next timer, and not while anything else waits for the loop (uv_backend_timeout is 0 then). While one
// connection alone brings messages it is read right here, which spares two system calls a message; the loop's
// descriptor tells of all others.
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
      uv_idle_start(&backlog_, [](uv_idle_t*) {});  // turn once without blocking, then come back
      return;
    }
  }
}

// Reads the connection that alone brought the last batch, if it can be read and has something.
bool Reactor::ReadHot() {
  Connection* const connection = table_.Find(hot_slot_, hot_generation_);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return false;
  if (!connection->MayRead()) return false;
  uv_os_fd_t descriptor;
  if (uv_fileno(connection->uv(), &descriptor) != 0) return false;
  uv_buf_t buffer;
  OnAlloc(connection, &buffer);
  const ssize_t n = recv(descriptor, buffer.base, buffer.len, MSG_DONTWAIT);
  if (n <= 0) return false;  // nothing yet; an end or error stays there for libuv to find
  OnRead(connection, n);
  return true;
}

}  // namespace dmicro
