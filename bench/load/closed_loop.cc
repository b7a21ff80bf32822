#include "closed_loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>

#include "clock.h"
#include "common/fail.h"
#include "common/socket.h"

namespace dmicro_bench {
namespace {

// How long the calls outstanding at the end of the window may take; one that never comes is a fault.
constexpr double kDrainSeconds = 5;

}  // namespace

ClosedLoop::ClosedLoop(const Options& options, Run* run, Measurement* measurement)
    : options_(options),
      run_(run),
      measurement_(measurement),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (epoll_ < 0 || timer_ < 0) Fail("cannot make an epoll and a timer: %s", strerror(errno));
}

ClosedLoop::~ClosedLoop() {
  for (const auto& connection : connections_) close(connection->Fd());
  close(timer_);
  close(epoll_);
}

void ClosedLoop::Execute() {
  Connect();
  // A timer among the events costs nothing per call, unlike a timeout given to each epoll_wait.
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
  SetTimer(options_.warmup_seconds);

  for (const auto& connection : connections_) {
    connection->Start(Now());
    SendQueued(connection.get(), false);
  }
  std::array<epoll_event, 256> events;
  while (phase_ != Phase::kDrain || run_->outstanding != 0) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) Fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      auto* connection = static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      if (connection == nullptr) {
        OnTimer();
      } else {
        OnReady(connection, events[static_cast<size_t>(i)].events);
      }
    }
  }
}

void ClosedLoop::Connect() {
  for (uint32_t i = 0; i < options_.connections; i++) {
    const int fd =
        options_.unix_path.empty() ? ConnectTcp(options_.host, options_.port) : ConnectUnix(options_.unix_path);
    connections_.push_back(std::make_unique<Connection>(run_, fd, i, options_.in_flight));
    Watch(connections_.back().get(), EPOLL_CTL_ADD, false);
  }
}

// EPOLLOUT only while bytes wait: a Unix socket would otherwise report it after each read of its peer.
void ClosedLoop::Watch(Connection* connection, int operation, bool writable) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (writable ? EPOLLOUT : 0u);
  event.data.ptr = connection;
  if (epoll_ctl(epoll_, operation, connection->Fd(), &event) != 0) Fail("epoll_ctl: %s", strerror(errno));
}

void ClosedLoop::SetTimer(double seconds) {
  itimerspec spec{};
  const uint64_t nanoseconds = Nanoseconds(seconds) + 1;  // 0 would disarm it
  spec.it_value.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
  spec.it_value.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
  timerfd_settime(timer_, 0, &spec, nullptr);
}

void ClosedLoop::OnTimer() {
  uint64_t expirations;
  if (read(timer_, &expirations, sizeof expirations) < 0) return;
  switch (phase_) {
    case Phase::kWarmUp:
      phase_ = Phase::kWindow;
      SetTimer(options_.seconds);
      run_->latencies.Reset();
      measurement_->Begin();
      break;
    case Phase::kWindow:
      measurement_->End();
      phase_ = Phase::kDrain;
      run_->draining = true;
      SetTimer(kDrainSeconds);
      break;
    case Phase::kDrain:
      Fail("%llu calls were not answered within %.0f s after the last was sent%s",
           static_cast<unsigned long long>(run_->outstanding), kDrainSeconds, measurement_->ServerFate());
  }
}

void ClosedLoop::OnReady(Connection* connection, uint32_t events) {
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
           measurement_->ServerFate());
    }
    // One clock reading per read: a latency runs from the read that gave rise to the call to the one that brought its
    // reply, so it contains the time this client took to send, never less than the truth.
    connection->SettleReceived(Now());
    more = full || hung_up;
  }
  SendQueued(connection, had_queued);
}

void ClosedLoop::SendQueued(Connection* connection, bool watching) {
  if (connection->SendQueued() == Flush::kClosed) {
    Fail("the server closed connection %u: %s%s", connection->Index(), strerror(errno), measurement_->ServerFate());
  }
  if (connection->HasQueued() != watching) Watch(connection, EPOLL_CTL_MOD, !watching);
}

}  // namespace dmicro_bench
