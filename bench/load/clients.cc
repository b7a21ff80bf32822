#include "clients.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>

#include "common/clock.h"
#include "common/fail.h"
#include "dial.h"

namespace dmicro_bench {
Clients::Clients(const Options& options, Run* run, const Measurement& measurement)
    : run_(run),
      measurement_(measurement),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (epoll_ < 0 || timer_ < 0) Fail("cannot make an epoll and a timer: %s", strerror(errno));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  for (uint32_t i = 0; i < options.connections; i++) {
    connections_.push_back(run_->protocol.Speak(run_, Dial(options), i, options.in_flight));
    if (run_->tls != nullptr) connections_.back()->Secure(run_->tls);
    Watch(connections_.back().get(), EPOLL_CTL_ADD, false);
  }
}

Clients::~Clients() {
  for (const auto& connection : connections_) close(connection->Fd());
  close(timer_);
  close(epoll_);
}

void Clients::SetTimer(uint64_t time) {
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(time / 1'000'000'000);
  spec.it_value.tv_nsec = static_cast<long>(time % 1'000'000'000);
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

bool Clients::Wait() {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
  if (count < 0 && errno != EINTR) Fail("epoll_wait: %s", strerror(errno));
  bool expired = false;
  for (int i = 0; i < count; i++) {
    auto* connection = static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
    if (connection == nullptr) {
      uint64_t expirations;
      expired = read(timer_, &expirations, sizeof expirations) > 0;
    } else {
      OnReady(connection, events[static_cast<size_t>(i)].events);
    }
  }
  return expired;
}

// EPOLLOUT only while bytes wait: a Unix socket would otherwise report it after each read of its peer.
void Clients::Watch(Connection* connection, int operation, bool writable) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (writable ? EPOLLOUT : 0u);
  event.data.ptr = connection;
  if (epoll_ctl(epoll_, operation, connection->Fd(), &event) != 0) Fail("epoll_ctl: %s", strerror(errno));
}

void Clients::OnReady(Connection* connection, uint32_t events) {
  const bool had_queued = connection->HasQueued();
  // A read that does not fill the buffer has emptied the socket, unless the end of the stream follows the data.
  const bool hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  for (bool more = true; more;) {
    bool full = false;
    const ssize_t count = connection->Receive(MSG_DONTWAIT, &full);
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      Fail("the server closed connection %u with %llu calls outstanding in all: %s%s", connection->Index(),
           static_cast<unsigned long long>(run_->outstanding), count == 0 ? "end of stream" : strerror(errno),
           measurement_.ServerFate());
    }
    // One clock reading per read: a latency runs from the read that gave rise to the call to the one that brought its
    // reply, so it contains the time this client took to send, never less than the truth.
    connection->SettleReceived(Now());
    more = full || hung_up;
  }
  SendQueued(connection, had_queued);
}

void Clients::SendQueued(Connection* connection, bool watching) {
  if (connection->SendQueued() == Flush::kClosed) {
    Fail("the server closed connection %u: %s%s", connection->Index(), strerror(errno), measurement_.ServerFate());
  }
  if (connection->HasQueued() != watching) Watch(connection, EPOLL_CTL_MOD, !watching);
}

}  // namespace dmicro_bench
