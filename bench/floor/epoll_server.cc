#include "epoll_server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "common/fail.h"
#include "common/socket.h"

namespace dmicro_bench {
namespace {

// Edge-triggered, which spares the kernel one poll of the socket per event. EPOLLOUT only while bytes wait: a
// Unix socket would otherwise report it after each read of its peer.
constexpr unsigned kClientEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

EpollServer::EpollServer(std::vector<int> listeners, const Methods& methods, std::span<char> scratch,
                         ObjectEcho* objects)
    : methods_(methods), scratch_(scratch), objects_(objects), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) Fail("epoll_create1: %s", strerror(errno));
  for (const int listener : listeners) {
    fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
    // Lives as long as the process.
    Watch(new Watched{listener, nullptr}, listener, EPOLL_CTL_ADD, EPOLLIN);
  }
}

void EpollServer::Serve() {
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) Fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* watched = static_cast<Watched*>(event.data.ptr);
      if (watched->session == nullptr) {
        Accept(watched->listener);
      } else {
        OnReady(watched, event.events);
      }
    }
  }
}

void EpollServer::Accept(int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0) Fail("accept: %s", strerror(errno));
    SetNoDelay(fd);
    Watch(new Watched{-1, std::make_unique<Session>(fd, methods_, scratch_, objects_)}, fd, EPOLL_CTL_ADD,
          kClientEvents);
  }
}

void EpollServer::OnReady(Watched* client, unsigned events) {
  Session* session = client->session.get();
  const bool had_unsent = session->HasUnsent();
  if (!Exchange(session, events)) {
    Drop(client);
  } else if (session->HasUnsent() != had_unsent) {
    Watch(client, session->Fd(), EPOLL_CTL_MOD, had_unsent ? kClientEvents : kClientEvents | EPOLLOUT);
  }
}

bool EpollServer::Exchange(Session* session, unsigned events) {
  // A read that does not fill the buffer has emptied the socket, unless the end of the stream follows the data.
  const bool hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  for (bool more = true; more;) {
    // Who does not read its replies is not read from: unsent bytes stay within what one read can cause.
    if (session->SendUnsent() == Flush::kClosed) return false;
    if (session->HasUnsent()) return true;
    bool full = false;
    const ssize_t count = session->Receive(MSG_DONTWAIT, &full);
    if (count < 0 && errno == EAGAIN) return true;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || !session->AnswerReceived()) return false;
    more = full || hung_up;
  }
  return session->SendUnsent() != Flush::kClosed;
}

void EpollServer::Watch(Watched* watched, int fd, int operation, unsigned events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watched;
  if (epoll_ctl(epoll_, operation, fd, &event) != 0) Fail("epoll_ctl: %s", strerror(errno));
}

void EpollServer::Drop(Watched* client) {
  close(client->session->Fd());
  delete client;
}

}  // namespace dmicro_bench
