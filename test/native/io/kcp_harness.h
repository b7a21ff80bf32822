#pragma once

#include <netinet/in.h>

#include <string>

#include "adopted.h"
#include "kcp/door.h"
#include "kcp/kcp.h"

// Helpers of the tests of KCP: listeners, dialled sessions, and sockets for datagrams of the test's own.

namespace dmicro {

inline KcpSettings FastKcp() {
  KcpSettings settings;
  settings.no_delay = true;
  settings.interval = 10;
  settings.resend = 2;
  settings.congestion = false;
  settings.window = 128;
  return settings;
}

inline int PortOf(const std::string& address) { return std::stoi(address.substr(address.rfind(':') + 1)); }

struct KcpListener {
  explicit KcpListener(Home* home, const WireLimits& limits = kWire, const KcpSettings& settings = FastKcp())
      : id(home->reactor.ListenKcp({false, "127.0.0.1", 0}, settings, {16, false, 3, {}, limits})) {
    Require(id >= 0, "listen");
    address = home->reactor.ListenerAddress(id);
    port = PortOf(address);
  }

  const int32_t id;
  std::string address;
  int port;
};

struct Dialled {
  int32_t slot = -1;
  int32_t generation = -1;
};

inline Dialled DialKcp(Home* home, int port, const KcpSettings& settings = FastKcp()) {
  Dialled dialled;
  dialled.slot = home->reactor.DialKcp({false, "127.0.0.1", port}, settings, kWire, &dialled.generation);
  Require(dialled.slot >= 0, "dial");
  return dialled;
}

// The session that was accepted last.
inline Dialled Accepted(Home* home) {
  Dialled accepted;
  for (const Event& event : home->journal.events) {
    if (event.kind == kAccept) accepted = {event.slot, event.generation};
  }
  return accepted;
}

inline void QueueTo(Home* home, const Dialled& to, std::string_view body) {
  Queue(home, {OwnedDescriptor(), to.slot, to.generation}, body);
}

inline std::string Segment(SegmentHeader header, std::string_view data = {}) {
  header.size = static_cast<uint32_t>(data.size());
  std::string bytes(SegmentHeader::kSize, '\0');
  header.Store(reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes.append(data);
}

inline SegmentHeader HeaderOf(const std::string& datagram) {
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(datagram.data());
  return SegmentHeader::Load(datagram[4] == '\xf1' && datagram[5] == '\0' ? bytes + 8 : bytes);
}

// A socket for datagrams on the loopback.
class UdpEnd {
 public:
  UdpEnd() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    Require(bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  }

  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  void Put(int to, const std::string& datagram) const {
    const sockaddr_in address = Loopback(to);
    sendto(socket_.number(), datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&address),
           sizeof address);
  }
  // Returns the next datagram that came, '' when there is none.
  std::string Take() const { return TakeBytes(socket_, 2048); }
  std::string Take(int* from) const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    std::string bytes(2048, '\0');
    const ssize_t n = recvfrom(socket_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&address), &size);
    *from = ntohs(address.sin_port);
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
  }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  OwnedDescriptor socket_;
};

// Passes datagrams between one dialled session and a listener, and loses every `nth` one, after `delay` ms.
class LossyRelay {
 public:
  LossyRelay(uv_loop_t* loop, int to, size_t nth, uint64_t delay) : loop_(loop), to_(to), nth_(nth), delay_(delay) {
    uv_timer_init(loop, &timer_);
    timer_.data = this;
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { static_cast<LossyRelay*>(timer->data)->Pass(); }, 1, 1);
  }
  ~LossyRelay() {
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
    uv_run(loop_, UV_RUN_NOWAIT);
  }
  int port() const { return front_.port(); }

 private:
  struct Flying {
    uint64_t at;
    bool back;
    std::string datagram;
  };

  void Pass() {
    const uint64_t now = uv_now(loop_);
    for (const bool back : {false, true}) {
      int from = 0;
      for (std::string datagram; !(datagram = (back ? back_ : front_).Take(&from)).empty();) {
        if (!back) client_ = from;
        if (++count_ % nth_ != 0) flying_.push_back({now + delay_, back, datagram});
      }
    }
    for (; !flying_.empty() && flying_.front().at <= now; flying_.pop_front())
      (flying_.front().back ? front_ : back_).Put(flying_.front().back ? client_ : to_, flying_.front().datagram);
  }

  uv_loop_t* const loop_;
  const int to_;
  const size_t nth_;
  const uint64_t delay_;
  UdpEnd front_, back_;
  int client_ = 0;
  size_t count_ = 0;
  std::deque<Flying> flying_;
  uv_timer_t timer_;
};

// A port on which nobody listens.
inline int FreePort() { return UdpEnd().port(); }

}  // namespace dmicro
