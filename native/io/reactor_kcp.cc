#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "io/kcp_io.h"
#include "io/reactor.h"

namespace dmicro {
namespace {

// Readings of one socket before the other callbacks of the loop run.
constexpr int kMaxReadings = 4;
// Sessions of one address and port.
constexpr size_t kMaxPerPeer = 16;

void FillRandom(void* bytes, size_t size) {
  // Without the system's random numbers nothing that is secret could be made.
  if (uv_random(nullptr, nullptr, bytes, size, 0, nullptr) != 0) std::abort();
}

uint32_t Random32() {
  uint32_t value;
  FillRandom(&value, sizeof value);
  return value;
}

int ToUdpAddress(const Target& target, UdpAddress* address) {
  const int error = ToSockaddr(target.host.c_str(), target.port, &address->storage);
  address->size = address->storage.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return error;
}

std::string BoundAddress(const KcpPort* port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int error = getsockname(port->socket.number(), reinterpret_cast<sockaddr*>(&storage), &size);
  return error == 0 ? FormatAddress(storage) : std::string();
}

int ErrorOf(LinkFailure failure) {
  switch (failure) {
    case LinkFailure::kNone:
      return 0;
    case LinkFailure::kTimedOut:
      return UV_ETIMEDOUT;
    case LinkFailure::kReset:
      return UV_ECONNRESET;
    case LinkFailure::kRefused:
      return UV_ECONNREFUSED;
  }
  return UV_EIO;
}

void AimAt(KcpIo* io, const KcpPeer* peer) {
  io->outbox.Aim(peer->port->socket.number(), peer->port->dialled == peer ? nullptr : &peer->address);
}

}  // namespace

KcpIo* Reactor::Kcp() {
  if (kcp_ == nullptr) {
    kcp_ = std::make_unique<KcpIo>(uv_now(loop_));
    FillRandom(&kcp_->key, sizeof kcp_->key);
    uv_timer_init(loop_, &kcp_->timer);
    kcp_->timer.data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(&kcp_->timer));
    handles_++;
  }
  return kcp_.get();
}

int Reactor::OpenPort(OwnedDescriptor socket, KcpPort** port) {
  const int descriptor = socket.number();
  auto made = std::make_unique<KcpPort>(this, std::move(socket), Kcp()->key);
  int error = uv_poll_init(loop_, &made->poll, descriptor);
  if (error != 0) return error;
  handles_++;
  made->poll.data = made.get();
  *port = made.release();
  return uv_poll_start(&(*port)->poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
    KcpPort* const ready = static_cast<KcpPort*>(poll->data);
    ready->reactor->OnDatagrams(ready);
  });
}

int32_t Reactor::ListenKcp(const Target& target, const KcpSettings& settings, const ListenOptions& options) {
  DMICRO_ASSERT(thread_.Here() && !target.pipe);
  if (stopped_) return UV_ECANCELED;
  UdpAddress address;
  OwnedDescriptor socket;
  int error = ToUdpAddress(target, &address);
  if (error == 0) error = OpenUdpListener(address, options.reuse_port, &socket);
  if (error != 0) return error;
  Listener* const listener = new Listener{};
  error = InitHandle(&listener->handle, false);
  if (error != 0) {
    delete listener;
    return error;
  }
  listener->uv()->data = listener;
  listener->reactor = this;
  listener->id = static_cast<int32_t>(listeners_.size());
  listeners_.push_back(listener);
  error = OpenPort(std::move(socket), &listener->port);
  if (listener->port != nullptr) {
    listener->port->limits = options.limits;
    listener->port->settings = settings;
    listener->port->token = options.token;
    listener->port->accepting = true;
    listener->port->door = std::make_unique<KcpDoor>(Kcp()->key);
  }
  if (error == 0) return listener->id;
  CloseListener(listener->id);
  return error;
}

std::string Reactor::ListenerAddress(int32_t id) const {
  const Listener* const listener = FindListener(id);
  if (listener == nullptr) return {};
  if (listener->port != nullptr) return BoundAddress(listener->port);
  return LocalAddress(reinterpret_cast<const uv_handle_t*>(&listener->handle));
}

// The socket stays open while it has sessions.
void Reactor::StopAccepting(KcpPort* port) {
  port->accepting = false;
  if (port->sessions == 0) ClosePort(port);
}

void Reactor::ClosePort(KcpPort* port) {
  if (port->closing) return;
  port->closing = true;
  kcp_->outbox.Send();
  auto& ports = kcp_->dialled_ports;
  ports.erase(std::remove(ports.begin(), ports.end(), port), ports.end());
  uv_close(reinterpret_cast<uv_handle_t*>(&port->poll), [](uv_handle_t* handle) {
    const std::unique_ptr<KcpPort> closed(static_cast<KcpPort*>(handle->data));
    closed->reactor->OnHandleClosed();
  });
  port->socket = OwnedDescriptor();
}

int32_t Reactor::DialKcp(const Target& target, const KcpSettings& settings, const WireLimits& limits,
                         int32_t* generation) {
  DMICRO_ASSERT(thread_.Here() && !target.pipe);
  if (stopped_) return UV_ECANCELED;
  UdpAddress address;
  OwnedDescriptor socket;
  int error = ToUdpAddress(target, &address);
  if (error == 0) error = OpenUdpConnection(address, &socket);
  if (error != 0) return error;
  KcpPort* port = nullptr;
  error = OpenPort(std::move(socket), &port);
  Connection* const connection = error == 0 ? new Connection(this, limits) : nullptr;
  if (error == 0) error = InitHandle(&connection->handle, false);
  if (error != 0) {
    delete connection;
    if (port != nullptr) ClosePort(port);
    return error;
  }
  connection->uv()->data = connection;
  if (!Register(connection)) {
    ClosePort(port);
    return UV_EMFILE;
  }
  auto peer = std::make_unique<KcpPeer>(Random32(), settings, KcpLink::Role{true, false}, Random32(), uv_now(loop_),
                                        &kcp_->dirty);
  peer->address = address;
  peer->port = port;
  peer->connection = connection;
  port->dialled = connection->kcp = peer.get();
  port->sessions = 1;
  kcp_->dialled_ports.push_back(port);
  peer->Queue();
  connection->layers = std::make_unique<LayerStack>(&layer_scratch_, true);
  connection->layers->Push(std::move(peer));
  *generation = connection->generation;
  return connection->slot;
}

void Reactor::OnDatagrams(KcpPort* port) {
  for (int reading = 0; reading < kMaxReadings && !port->closing; reading++) {
    const int count = kcp_->inbox.Receive(port->socket.number());
    if (count < 0) {
      if (count == UV_ECONNREFUSED && port->dialled != nullptr) {
        port->dialled->Refused(uv_now(loop_));
        Touch(port->dialled);
        continue;
      }
      break;
    }
    for (size_t i = 0; i < static_cast<size_t>(count); i++) TakeDatagram(port, kcp_->inbox.From(i), kcp_->inbox.At(i));
    if (static_cast<size_t>(count) < UdpInbox::kDatagrams) break;
  }
  traffic_ = true;
  // A reader that runs the loop itself may come here once more.
  std::vector<KcpPeer*> touched = std::exchange(kcp_->touched, {});
  for (KcpPeer* const peer : touched) {
    peer->touched = false;
    Settle(peer);
  }
  touched.clear();
  if (kcp_->touched.empty()) kcp_->touched.swap(touched);
}

void Reactor::TakeDatagram(KcpPort* port, const UdpAddress& from, Bytes datagram) {
  if (datagram.size < SegmentHeader::kSize || datagram.size > kMaxDatagram) return;
  KcpPeer* peer = port->dialled;
  if (peer == nullptr) {
    const auto known = port->peers.find(UdpKey(from));
    if (known != port->peers.end()) peer = known->second;
    const bool fec = HasFecHeader(datagram.data);
    if (fec && datagram.data[4] == kFecParity) {
      // Parity does not say of which conversation it is.
      if (peer != nullptr && peer->same_address != nullptr) return;
    } else {
      const size_t start = fec ? kFecHeader : 0;
      if (datagram.size < start + SegmentHeader::kSize) return;
      const uint32_t conv = LoadLittle32(datagram.data + start);
      while (peer != nullptr && peer->machine().conv() != conv) peer = peer->same_address;
    }
    if (peer == nullptr) peer = MeetPeer(port, from, datagram);
  }
  if (peer == nullptr) return;
  if (peer->Take(datagram, uv_now(loop_))) peer->heard = true;
  Touch(peer);
}

// Settles the peer when all that was received has been taken.
void Reactor::Touch(KcpPeer* peer) {
  if (peer->touched) return;
  peer->touched = true;
  kcp_->touched.push_back(peer);
}

// Answers a datagram without a session. Returns the session that it opens, if it does.
KcpPeer* Reactor::MeetPeer(KcpPort* port, const UdpAddress& from, Bytes datagram) {
  const uint16_t window = static_cast<uint16_t>(port->settings.window);
  const UdpKey key(from);
  const Bytes address{key.bytes.data(), key.bytes.size()};
  if (port->door == nullptr) return nullptr;
  KcpDoor::Answer answer = port->door->Meet(address, datagram, window, uv_now(loop_), port->accepting && !stopped_);
  KcpPeer* peer = nullptr;
  if (answer.verdict == KcpDoor::Verdict::kOpen) {
    peer = AcceptPeer(port, from, answer.conv, answer.marked);
    if (peer == nullptr)
      answer = KcpDoor::Refuse(SegmentHeader::Load(datagram.data + (HasFecHeader(datagram.data) ? kFecHeader : 0)));
  }
  if (answer.verdict == KcpDoor::Verdict::kReply) {
    kcp_->outbox.Aim(port->socket.number(), &from);
    std::memcpy(kcp_->outbox.Begin(answer.reply.size()), answer.reply.data(), answer.reply.size());
    kcp_->outbox.Commit(answer.reply.size());
  }
  if (peer == nullptr) return nullptr;
  if (answer.marked) peer->machine().Tell();  // the peer repeats its answer until it hears something else
  port->door->TakeKept(address, answer.conv, [&](Bytes kept) { peer->Take(kept, uv_now(loop_)); });
  return peer;
}

KcpPeer* Reactor::AcceptPeer(KcpPort* port, const UdpAddress& from, uint32_t conv, bool marked) {
  const UdpKey key(from);
  const auto known = port->peers.find(key);
  size_t count = 0;
  for (KcpPeer* other = known == port->peers.end() ? nullptr : known->second; other != nullptr;
       other = other->same_address)
    count++;
  if (count >= kMaxPerPeer) return nullptr;
  Connection* const connection = new Connection(this, port->limits);
  if (InitHandle(&connection->handle, false) != 0) {
    delete connection;
    return nullptr;
  }
  connection->uv()->data = connection;
  connection->token = port->token;
  if (!Register(connection)) return nullptr;
  auto peer = std::make_unique<KcpPeer>(conv, port->settings, KcpLink::Role{false, marked}, Random32(), uv_now(loop_),
                                        &kcp_->dirty);
  peer->address = from;
  peer->port = port;
  peer->connection = connection;
  KcpPeer*& first = port->peers[key];
  peer->same_address = std::exchange(first, peer.get());
  port->sessions++;
  KcpPeer* const accepted = connection->kcp = peer.get();
  connection->layers = std::make_unique<LayerStack>(&layer_scratch_, true);
  connection->layers->Push(std::move(peer));
  return accepted;
}

// Does what datagrams of this turn have caused above the link.
void Reactor::Settle(KcpPeer* peer) {
  Connection* const connection = peer->connection;
  if (peer->port == nullptr) return;  // closed meanwhile
  peer->Queue();
  if (std::exchange(peer->heard, false)) NoteActivity(connection);
  if (connection->state == Connection::State::kConnecting && peer->Open() && peer->failure() == LinkFailure::kNone &&
      !connection->waiting())
    ReportOpened(connection);
  NoteKcpTaken(connection);
  if (connection->state == Connection::State::kOpen) ReadKcp(connection);
  if (connection->state == Connection::State::kEnding) peer->DropReceived();
  if (connection->state == Connection::State::kClosing) return;
  if (peer->failure() != LinkFailure::kNone) {
    const bool open = connection->state != Connection::State::kEnding;
    Close(connection, open ? CloseReason::kIo : connection->end_reason, open ? ErrorOf(peer->failure()) : 0);
  } else if (peer->Finished()) {
    Close(connection, connection->end_reason, 0);
  }
}

void Reactor::ReadKcp(Connection* connection) {
  if (connection->kcp->Readable()) connection->layers->Wake();
  if (connection->MayRead() && connection->layers->Pending()) ReceiveLayered(connection, {});
  ReadKcpEnd(connection);
}

// Handles the end of what the peer sends, when all before it was read.
void Reactor::ReadKcpEnd(Connection* connection) {
  if (connection->state != Connection::State::kOpen || !connection->MayRead()) return;
  if (connection->kcp->Ended() && !connection->layers->Pending()) OnEnd(connection, UV_EOF);
}

// Counts what was passed to the link. `replies` of the bytes are bytes of replies.
void Reactor::NoteKcpSent(Connection* connection, size_t replies) {
  KcpPeer* const peer = connection->kcp;
  const size_t unsent = peer->machine().UnsentBytes();
  peer->replies = std::min(peer->replies + replies, unsent);
  if (peer->replies > connection->limits.max_unsent / 2) connection->needs_drain = true;
  const auto clamped = [](size_t bytes) { return static_cast<int32_t>(std::min<size_t>(bytes, INT32_MAX)); };
  StoreWord(&rings_.unsent[connection->slot], clamped(unsent));
  StoreWord(&rings_.replies[connection->slot], clamped(peer->replies));
}

// Counts what the peer has acknowledged.
void Reactor::NoteKcpTaken(Connection* connection) {
  KcpPeer* const peer = connection->kcp;
  const uint32_t una = peer->machine().snd_una();
  const bool progress = una != peer->seen_una;
  peer->seen_una = una;
  if (!progress && peer->machine().Unsent() != 0) return;
  peer->progress_at = uv_now(loop_);
  if (!progress) return;
  NoteKcpSent(connection, 0);
  if (!connection->needs_drain || (peer->replies != 0 && peer->replies >= connection->limits.max_unsent / 4)) return;
  connection->needs_drain = false;
  AddRecord(connection, kWritable);
  if (std::exchange(connection->eof_deferred, false) && connection->MayRead()) StartReading(connection);
}

// Sends what this turn has queued and what is due, and sets the timer for the rest.
void Reactor::SendKcp() {
  KcpIo* const io = kcp_.get();
  if (io->dirty.Empty() && io->outbox.Empty() && !io->expired) return;
  io->expired = false;
  while (KcpPeer* const peer = io->dirty.Pop()) TurnPeer(peer);
  io->outbox.Send();
  for (const int socket : io->outbox.TakeRefused()) {
    const auto refused = std::find_if(io->dialled_ports.begin(), io->dialled_ports.end(),
                                      [=](const KcpPort* port) { return port->socket.number() == socket; });
    if (refused == io->dialled_ports.end()) continue;
    KcpPeer* const peer = (*refused)->dialled;
    peer->Refused(uv_now(loop_));
    Settle(peer);
  }
  if (stopped_) return;
  if (!inbox_.Empty()) KeepTurning();  // what closed here is reported in the next turn
  const uint64_t next = io->wheel.Next();
  if (next == io->timer_at) return;
  io->timer_at = next;
  if (next == TimerWheel::kNever) {
    uv_timer_stop(&io->timer);
    return;
  }
  const auto expired = [](uv_timer_t* timer) {
    Reactor* const reactor = static_cast<Reactor*>(timer->data);
    KcpIo* const due = reactor->kcp_.get();
    due->timer_at = TimerWheel::kNever;
    due->expired = true;
    due->wheel.Expire(uv_now(reactor->loop_), [](WheelTimer* expired_timer) {
      static_cast<KcpPeer*>(expired_timer)->Queue();  // sent in the prepare phase of this turn
    });
  };
  uv_timer_start(&io->timer, expired, next - std::min(next, uv_now(loop_)), 0);
}

void Reactor::TurnPeer(KcpPeer* peer) {
  Connection* const connection = peer->connection;
  if (peer->port == nullptr) return;
  const uint64_t now = uv_now(loop_);
  AimAt(kcp_.get(), peer);
  peer->Turn(now, &kcp_->outbox);
  if (peer->failure() != LinkFailure::kNone || peer->Finished()) {
    Settle(peer);
    return;
  }
  const bool unsent = peer->machine().Unsent() != 0;
  const uint64_t patience = connection->limits.write_timeout;
  if (!unsent) peer->progress_at = now;
  if (now - peer->progress_at > patience) {
    Close(connection, CloseReason::kWriteTimeout, 0);
    return;
  }
  const uint64_t due = std::min(peer->Due(now + 1), unsent ? peer->progress_at + patience + 1 : TimerWheel::kNever);
  if (peer->armed() && peer->at() <= due) return;  // what is armed too early is looked at once more
  peer->Linked<Timed>::Unlink();
  kcp_->wheel.Arm(peer, due);
}

// Lets the link send what is queued, and its end.
void Reactor::EndKcp(Connection* connection) {
  connection->partial_since = 0;
  connection->eof_deferred = connection->held = connection->peeked = false;
  connection->kcp->DropReceived();
  connection->kcp->Queue();
}

void Reactor::CloseKcp(Connection* connection) {
  KcpPeer* const peer = connection->kcp;
  KcpPort* const port = peer->port;
  if (port == nullptr) return;
  if (!peer->Finished()) {
    AimAt(kcp_.get(), peer);
    peer->SendLast(uv_now(loop_), &kcp_->outbox);
  }
  peer->Linked<Dirty>::Unlink();
  peer->Linked<Timed>::Unlink();
  peer->port = nullptr;
  port->sessions--;
  if (port->dialled == peer) {
    port->dialled = nullptr;
  } else {
    const auto known = port->peers.find(UdpKey(peer->address));
    KcpPeer** at = &known->second;
    while (*at != peer) at = &(*at)->same_address;
    *at = peer->same_address;
    if (known->second == nullptr) port->peers.erase(known);
  }
  if (port->sessions == 0 && !port->accepting) ClosePort(port);
}

int Reactor::SetKcpOption(Connection* connection, SocketOption option, uint32_t value) {
  if (option == SocketOption::kNoDelay || option == SocketOption::kKeepAlive) return 0;  // KCP has its own
  KcpPort* const port = connection->kcp->port;
  if (port == nullptr) return UV_EBADF;
  if (port->dialled == nullptr) return UV_ENOTSUP;  // the socket is that of all sessions
  int size = static_cast<int>(value);
  if (size <= 0) return UV_EINVAL;
  const int name = option == SocketOption::kReceiveBuffer ? SO_RCVBUF : SO_SNDBUF;
  return setsockopt(port->socket.number(), SOL_SOCKET, name, &size, sizeof size) == 0 ? 0
                                                                                      : uv_translate_sys_error(errno);
}

std::string Reactor::LocalKcpAddress(const Connection* connection) { return BoundAddress(connection->kcp->port); }

std::string Reactor::RemoteKcpAddress(const Connection* connection) {
  return FormatAddress(connection->kcp->address.storage);
}

}  // namespace dmicro
