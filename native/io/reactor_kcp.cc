#include <algorithm>
#include <cstring>
#include <utility>

#include "io/kcp_io.h"
#include "io/reactor.h"

// Datagrams in and out, and what they mean for connections.

namespace dmicro {
namespace {

// Readings of one socket before the other callbacks of the loop run.
constexpr int kMaxReadings = 4;

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
  // Acknowledgements say that the peer's process runs, not that it serves: for heartbeats they are no sign of life.
  const uint64_t bytes = peer->machine().ReceivedBytes();
  peer->Take(datagram, uv_now(loop_));
  if (peer->machine().ReceivedBytes() != bytes) peer->heard = true;
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
  port->door->TakeKept(address, answer.conv, [&](Bytes kept) {
    peer->Take(kept, uv_now(loop_));
    peer->heard = true;
  });
  return peer;
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
  if (!peer->machine().AllNumbered()) NoteActivity(connection);  // the peer takes what had to wait
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
  // After a stall of this thread, timers run before the sockets are read, where the acknowledgements may wait.
  const bool was_overdue = std::exchange(peer->overdue, now - peer->progress_at > patience);
  if (was_overdue && peer->overdue) {
    Close(connection, CloseReason::kWriteTimeout, 0);
    return;
  }
  const uint64_t patient = peer->overdue ? now + 1 : peer->progress_at + patience + 1;
  const uint64_t due = std::min(peer->Due(now + 1), unsent ? patient : TimerWheel::kNever);
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

}  // namespace dmicro
