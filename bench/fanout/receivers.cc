#include "receivers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "common/clock.h"
#include "common/fail.h"
#include "common/socket.h"

namespace dmicro_bench {
namespace {

// More at once overflow the backlog of a server with the usual one of 511, and then wait for TCP to try again.
constexpr size_t kConnecting = 256;

}  // namespace

Receivers::Receivers(const Options& options, std::span<char> scratch)
    : options_(options),
      scratch_(scratch),
      search_(options.payload),
      round_(options.connections),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) {
    Fail("cannot wait for standard input, which must be a pipe: %s", strerror(errno));
  }
}

void Receivers::Execute() {
  Connect();
  for (;;) Wait();
}

void Receivers::Connect() {
  deadline_ = Now() + Nanoseconds(options_.timeout_seconds);
  while (ready_ < options_.connections) {
    if (receivers_.size() < options_.connections && receivers_.size() - ready_ < kConnecting) {
      Open();
    } else {
      Wait();
    }
  }
  deadline_ = UINT64_MAX;
  printf("{\"ready\":true,\"connections\":%u}\n", ready_);
  fflush(stdout);
}

void Receivers::Open() {
  const auto index = static_cast<uint32_t>(receivers_.size());
  receivers_.push_back(std::make_unique<Receiver>(
      Receiver{.index = index, .fd = ConnectTcp(options_.host, options_.port), .dialect = MakeDialect(options_)}));
  Receiver* receiver = receivers_.back().get();
  if (receiver->dialect->Ready()) ready_++;
  Send(*receiver, receiver->dialect->Opening());
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.ptr = receiver;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, receiver->fd, &event) != 0) Fail("epoll_ctl: %s", strerror(errno));
}

void Receivers::Wait() {
  constexpr int look_at_clock_ms = 200;
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), look_at_clock_ms);
  if (count < 0 && errno != EINTR) Fail("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.ptr == nullptr) {
      OnCommands();
    } else {
      OnReady(static_cast<Receiver*>(event.data.ptr), event.events);
    }
  }
  if (Now() > deadline_) FailOverdue();
}

void Receivers::OnReady(Receiver* receiver, uint32_t events) {
  // A read that does not fill the buffer has emptied the socket, unless the end of the stream follows the data.
  const bool hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  for (bool more = true; more;) {
    const ssize_t count = recv(receiver->fd, scratch_.data(), scratch_.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      Fail("the server closed connection %u: %s", receiver->index, count == 0 ? "end of stream" : strerror(errno));
    }
    OnReceived(receiver, {scratch_.data(), static_cast<size_t>(count)});
    more = static_cast<size_t>(count) == scratch_.size() || hung_up;
  }
}

void Receivers::OnReceived(Receiver* receiver, std::string_view bytes) {
  const bool was_ready = receiver->dialect->Ready();
  if (was_ready) {
    for (size_t count = search_.Count(bytes, &receiver->matched); count > 0; count--) OnPayload(receiver);
  }
  std::string answer;
  const char* problem = receiver->dialect->Receive(bytes, &answer);
  if (problem != nullptr) Fail("the server on connection %u: %s", receiver->index, problem);
  Send(*receiver, answer);
  if (!was_ready && receiver->dialect->Ready()) ready_++;
}

void Receivers::OnPayload(Receiver* receiver) {
  if (!round_.Armed()) Fail("connection %u got the payload outside of a round", receiver->index);
  if (receiver->rounds == round_.Number()) Fail("connection %u got the payload twice", receiver->index);
  receiver->rounds = round_.Number();
  round_.Deliver(Now());
  if (!round_.Armed()) deadline_ = UINT64_MAX;
}

// Little is ever sent, so that a socket always has room for it.
void Receivers::Send(const Receiver& receiver, const std::string& bytes) {
  if (bytes.empty()) return;
  const ssize_t sent = send(receiver.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(bytes.size())) {
    Fail("cannot send on connection %u: %s", receiver.index, sent < 0 ? strerror(errno) : "no room");
  }
}

void Receivers::OnCommands() {
  const size_t rounds = commands_.ReadRounds();
  if (rounds == 0) return;
  if (ready_ < options_.connections || round_.Armed() || rounds > 1)
    Fail("a round begins when the one before has ended");
  deadline_ = Now() + Nanoseconds(options_.timeout_seconds);
  round_.Arm();
}

void Receivers::FailOverdue() const {
  if (round_.Armed()) {
    Fail("round %llu: %zu of %u connections got the payload within %.0f s",
         static_cast<unsigned long long>(round_.Number()), round_.Delivered(), options_.connections,
         options_.timeout_seconds);
  }
  Fail("%u of %u connections were ready within %.0f s", ready_, options_.connections, options_.timeout_seconds);
}

}  // namespace dmicro_bench
