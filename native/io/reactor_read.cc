#include <algorithm>
#include <utility>

#include "io/reactor.h"
#include "io/socket_io.h"
#include "wire/json_hint.h"

namespace dmicro {
namespace {

// Maximum bytes of one read: a few large frames at once, while other sockets still find room in the arena.
constexpr size_t kMaxRead = 256 * 1024;
// The same for sockets with layers, whose bytes are used at once and are small enough to stay in a cache.
constexpr size_t kMaxSealedRead = 64 * 1024;

// Bytes of the smallest message, which bounds how many records a read adds.
constexpr size_t LeastFrame(Framing framing) {
  if (framing == Framing::kMessage) return 2;  // an empty frame that is not masked
  return framing == Framing::kEnvelope ? kEnvelopePrefix : kMinFrame;
}

}  // namespace

// Asked by libuv for a buffer, reads by itself, and gives libuv none, so that it reads nothing more in this turn.
void Reactor::OnReadable(Connection* connection, uv_buf_t* buffer) {
  OnAlloc(connection, buffer);
  if (buffer->len == 0) return;
  received_ = TryRead(connection->uv(), *buffer);
  if (received_ != 0) *buffer = uv_buf_init(nullptr, 0);
}

// Returns the result of a read for which libuv had no buffer: that of the one in its place, or UV_ENOBUFS.
ssize_t Reactor::TakeReceived() {
  const ssize_t n = std::exchange(received_, 0);
  return n == 0 ? ssize_t{UV_ENOBUFS} : n;
}

void Reactor::OnAlloc(Connection* connection, uv_buf_t* buffer) {
  if (!RoomToRead()) {
    *buffer = uv_buf_init(nullptr, 0);  // OnRead gets UV_ENOBUFS
    return;
  }
  if (connection->layers != nullptr) {
    sealed_.resize(kMaxSealedRead);
    *buffer = uv_buf_init(reinterpret_cast<char*>(sealed_.data()), static_cast<unsigned>(sealed_.size()));
    return;
  }
  const Framer::Space space = Reserve(connection);
  *buffer = uv_buf_init(reinterpret_cast<char*>(space.data), static_cast<unsigned>(space.size));
}

// Returns where the next bytes for the framer go. Requires RoomToRead.
Framer::Space Reactor::Reserve(Connection* connection) {
  // A connection that ended while its first bytes were peeked at may hold as many as scratch has room for.
  if (connection->state != Connection::State::kOpen) connection->framer.Skip(connection->framer.held());
  Framer::Space scratch = inbox_.Free();
  scratch.size = std::min(scratch.size, connection->framing == Framing::kPeek ? Framer::kMaxPeek : kMaxRead);
  // With a sink no batch can be delivered in the middle of a read, so that the lane must have records for all messages
  // of the read.
  if (sink_ != nullptr)
    scratch.size = std::min<size_t>(scratch.size, inbox_.FreeRecords() * LeastFrame(connection->framing));
  if (connection->ws != nullptr && connection->framing == Framing::kMessage) return ReserveMessage(connection, scratch);
  return connection->framer.Reserve(scratch);
}

void Reactor::OnRead(Connection* connection, ssize_t n) {
  if (n == 0 || connection->state == Connection::State::kClosing) return;
  if (n == UV_ENOBUFS) {
    Yield(connection);
    return;
  }
  if (n < 0) {
    OnEnd(connection, static_cast<int>(n));
    return;
  }
  if (connection->ws == nullptr) NoteActivity(connection);
  if (connection->state == Connection::State::kEnding) return;  // this side is closing: further bytes are dropped
  traffic_ = true;
  if (connection->layers != nullptr) {
    ReceiveLayered(connection, {sealed_.data(), static_cast<size_t>(n)});
    return;
  }
  Consume(connection, static_cast<size_t>(n));
  DeliverIfFull();
}

// Handles the end of what the peer sends: UV_EOF, or the error that ended it.
void Reactor::OnEnd(Connection* connection, int error) {
  const bool open = connection->state == Connection::State::kOpen;
  const bool in_order = error == UV_EOF && (connection->layers == nullptr || connection->layers->Ended());
  if (in_order && connection->needs_drain && open) {
    // The peer may still read: its earlier requests are answered first.
    connection->eof_deferred = true;
    uv_read_stop(connection->stream());
    return;
  }
  Close(connection,
        !open      ? connection->end_reason
        : in_order ? CloseReason::kPeer
                   : CloseReason::kIo,
        error == UV_EOF && (in_order || !open) ? 0 : error);
}

// Frees the arena after messages were parsed, or delivers a batch that leaves no room.
void Reactor::DeliverIfFull() {
  if (inbox_.Empty()) {
    inbox_.Clear();
  } else if (inbox_.Low() || inbox_.Full()) {
    Deliver(false);
  }
}

// Parses the `n` bytes that were read into the space from Framer::Reserve.
void Reactor::Consume(Connection* connection, size_t n) {
  DMICRO_ASSERT(!delivering_ && connection->state == Connection::State::kOpen);
  const bool peek = connection->framing == Framing::kPeek;
  if (peek) {
    // Set before the bytes are delivered, because the upper layer may call SetFraming during the delivery. The frame
    // timeout runs from the opening of the connection.
    connection->peeked = true;
    uv_read_stop(connection->stream());
  }
  Consumed consumed;
  if (connection->ws != nullptr) {
    ConsumeFrames(connection, n);
    return;
  }
  ConsumePayload(connection, n, &consumed);
  if (!peek) FinishConsume(connection, consumed);
}

// Parses the `n` bytes of messages in the space from Framer::Reserve.
void Reactor::ConsumePayload(Connection* connection, size_t n, Consumed* consumed) {
  const uint8_t* const scratch = inbox_.Free().data;
  consumed->parse = connection->framer.Commit(
      n, connection->Frame(), &consumed->reason, [&](const RawMessage& message, Bytes frame, bool in_scratch) {
        consumed->completed = true;
        if (in_scratch) consumed->parsed = static_cast<size_t>(frame.data + frame.size - scratch);
        if (!OnFrame(connection, message, frame, in_scratch)) return false;
        if (!inbox_.Full()) return true;
        consumed->delivered = true;
        Deliver(true);
        return connection->state == Connection::State::kOpen;
      });
  // The parsed bytes stay in use, unless they were published with their lane.
  if (consumed->parsed != 0 && inbox_.Free().data == scratch) inbox_.Use(consumed->parsed);
  if (connection->framing == Framing::kPeek) NoteSource(connection);
}

void Reactor::NoteSource(const Connection* connection) {
  sources_++;
  hot_slot_ = connection->slot;
  hot_generation_ = connection->generation;
}

// Closes a connection whose bytes were bad, times what is unfinished, and lets others come first.
void Reactor::FinishConsume(Connection* connection, const Consumed& consumed) {
  if (consumed.completed) NoteSource(connection);
  if (connection->state != Connection::State::kOpen) return;
  const WebSocket* const ws = connection->ws.get();
  if (consumed.parse == Parse::kBad) {
    if (ws == nullptr) {
      Close(connection, consumed.reason, 0);
    } else {
      Fail(connection, consumed.reason, CloseCodeOf(consumed.reason));
    }
    return;
  }
  if (connection->framer.held() == 0 && (ws == nullptr || !ws->reader.unfinished())) {
    connection->partial_since = 0;
  } else if (consumed.completed || consumed.messages != 0 || connection->partial_since == 0) {
    connection->partial_since = uv_now(loop_);
    Watch(connection);
  }
  // A connection that filled a whole batch by itself continues in the next turn: the others come first.
  if (consumed.delivered) Yield(connection);
}

// Adds the record of one message. Returns false when no more bytes of the connection may be parsed.
bool Reactor::OnFrame(Connection* connection, RawMessage message, Bytes frame, bool in_scratch) {
  const uint8_t* base = rings_.inbox;
  int32_t large = -1;
  if (!in_scratch) {
    const uint8_t* from = frame.data;
    const auto fits = [&] {
      return frame.size <= inbox_.MaxInline() && inbox_.Free().size >= frame.size + Inbox::kMinFree;
    };
    if (!fits() && frame.size <= inbox_.MaxInline()) {
      Deliver(false);
      if (connection->state != Connection::State::kOpen) return false;
    }
    if (fits()) {
      uint8_t* const to = inbox_.Free().data;
      std::memcpy(to, from, frame.size);
      inbox_.Use(frame.size);
      for (Bytes* run : {&message.method, &message.status, &message.meta, &message.body}) run->data += to - from;
    } else {
      large = static_cast<int32_t>(large_.size());
      base = from;
      large_.push_back({connection->framer.Release(), frame.size});
    }
  }
  AddMessage(connection, message, base, large);
  return true;
}

// Adds the record of a message whose fields lie behind `base`.
void Reactor::AddMessage(Connection* connection, const RawMessage& message, const uint8_t* base, int32_t large) {
  Record* const record = AddRecord(connection, kMessage);
  const auto place = [base](Bytes bytes, int32_t* start, int32_t* end) {
    *start = static_cast<int32_t>(bytes.data - base);
    *end = *start + static_cast<int32_t>(bytes.size);
  };
  record->seq = message.seq;
  record->route = message.method.size == 0 ? -1 : names_.Find(message.method);
  if (message.type == kTypeUnparsed) {
    record->bits = kTypeUnparsed;
  } else {
    record->bits = message.type | message.codec << 8 | static_cast<int32_t>(HintOf(message.body)) << kHintShift;
  }
  place(message.body, &record->body_start, &record->body_end);
  place(message.meta, &record->meta_start, &record->meta_end);
  place(message.status, &record->status_start, &record->status_end);
  place(message.method, &record->name_start, &record->name_end);
  record->large = large;
}

void Reactor::Yield(Connection* connection) {
  if (connection->yielded) return;
  connection->yielded = true;
  yielded_.Append(connection);
  uv_read_stop(connection->stream());
  if (sink_ == nullptr) KeepTurning();  // a sink that was not ready wakes the loop
}

void Reactor::Resume() {
  if ((yielded_.Empty() && unreported_.Empty()) || !RoomToRead()) return;
  // Each connection is handled once: one that must wait again waits for the next turn.
  List<Connection, Waiting> due;
  due.TakeAll(unreported_);
  while (Connection* const connection = due.Pop()) ReportOpened(connection);
  due.TakeAll(yielded_);
  while (Connection* const connection = due.Pop()) {
    if (connection->framing_set && connection->state == Connection::State::kOpen) {
      if (!RoomToRead()) {
        yielded_.Append(connection);
        continue;
      }
      connection->framing_set = false;
      if (connection->ws != nullptr) {
        const size_t early = connection->framer.GiveBack(inbox_.Free().data);
        Reserve(connection);
        if (early != 0) Consume(connection, early);
      } else {
        connection->framer.Reserve(inbox_.Free());
        Consume(connection, 0);
      }
      if (inbox_.Low() || inbox_.Full()) Deliver(false);
      if (connection->state == Connection::State::kClosing) continue;
    }
    if (connection->layers != nullptr && connection->layers->Pending()) {
      if (!RoomToRead()) {
        yielded_.Append(connection);
        continue;
      }
      connection->yielded = false;
      ReceiveLayered(connection, {});
      if (connection->state == Connection::State::kClosing || connection->yielded) continue;
    }
    connection->yielded = false;
    // A connection in state kEnding is read too, because the FIN of its peer must be seen.
    if (connection->MayRead()) StartReading(connection);
  }
}

}  // namespace dmicro
