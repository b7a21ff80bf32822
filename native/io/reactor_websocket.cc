#include <algorithm>
#include <cstring>
#include <utility>

#include "io/gather.h"
#include "io/reactor.h"

// The frames of WebSocket, between the bytes of a socket (or of its layers) and the framing.

namespace dmicro {
namespace {

// Unfinished messages up to this size are completed in the arena, as those of the framer.
constexpr size_t kCompleteInArena = 4 * 1024;
// Pongs of one read; beyond them the older ones are left out, as RFC 6455 §5.5.3 allows.
constexpr size_t kMaxPongs = 16 * 1024;
// Bytes that are masked at once.
constexpr size_t kMaskStep = 64 * 1024;

using Event = WebSocketReader::Event;

}  // namespace

uint16_t CloseCodeOf(CloseReason reason) {
  switch (reason) {
    case CloseReason::kLocal:
      return kWsNormal;
    case CloseReason::kTooLarge:
      return kWsTooLarge;
    case CloseReason::kRefused:
    case CloseReason::kHook:
      return kWsPolicy;
    default:
      return kWsProtocolError;
  }
}

const uint8_t* Reactor::NextMask(const Connection* connection) {
  if (!connection->ws->client) return nullptr;
  if (mask_at_ == masks_.size()) {
    // The system's generator, once for a thousand masks: they must not be guessed (RFC 6455 §10.3).
    if (uv_random(nullptr, nullptr, masks_.data(), masks_.size(), 0, nullptr) != 0) std::abort();
    mask_at_ = 0;
  }
  mask_at_ += kWsMask;
  return masks_.data() + mask_at_ - kWsMask;
}

// Returns where the next bytes of a connection go whose messages are passed on whole. A short unfinished message is
// put before them, so that it is completed in place.
Framer::Space Reactor::ReserveMessage(Connection* connection, Framer::Space scratch) {
  const ByteQueue& message = connection->ws->message;
  const size_t held = message.size() <= kCompleteInArena ? message.size() : 0;
  DMICRO_ASSERT(scratch.size > held);
  message_base_ = scratch.data;
  return {scratch.data + held, scratch.size - held};
}

// Decodes the `n` bytes that were read into the space from Reserve, and passes their payload on.
void Reactor::ConsumeFrames(Connection* connection, size_t n) {
  WebSocket* const ws = connection->ws.get();
  const bool whole = connection->framing == Framing::kMessage;
  ByteQueue& held = ws->message;
  uint8_t* message = nullptr;
  uint8_t* at;
  if (whole) {
    const size_t front = held.size() <= kCompleteInArena ? held.size() : 0;
    message = message_base_;
    if (front != 0) {
      std::memcpy(message, held.data(), front);
      held.Clear();
    }
    at = message + front;
  } else {
    at = connection->framer.space();
  }
  uint8_t* const start = at;
  uint8_t* const end = at + n;
  uint8_t* out = at;
  Consumed consumed;
  Event event;
  const WsLimits limits = ws->Limits(connection->limits.frame.max_message);
  while ((event = ws->reader.Read(&at, end, &out, limits)) != Event::kMore) {
    if (event == Event::kMessage) {
      consumed.messages++;
      if (whole) {
        const bool taken = TakeMessage(connection, {message, static_cast<size_t>(out - message)}, &consumed);
        message = out;
        if (!taken) break;
      }
    } else if (event == Event::kPing) {
      AppendPong(connection);
    } else if (event != Event::kPong) {
      break;
    }
  }
  // Frames that a WebSocket answers by itself are no sign of life of the program that uses it.
  if (out != start || consumed.messages != 0) NoteActivity(connection);
  if (!whole) {
    if (out == start) {
      connection->framer.Cancel();
    } else {
      ConsumePayload(connection, static_cast<size_t>(out - start), &consumed);
    }
  } else if (connection->state == Connection::State::kOpen && out != message) {
    held.Append({message, static_cast<size_t>(out - message)});
  }
  if (whole && consumed.parsed != 0 && inbox_.Free().data == message_base_) inbox_.Use(consumed.parsed);
  FinishConsume(connection, consumed);
  WritePongs(connection);
  if (connection->state != Connection::State::kOpen) return;
  if (event == Event::kClose) {
    const uint16_t code = ws->reader.close_code();
    SendClose(connection, code);
    Close(connection, CloseReason::kPeer, code == kWsNormal || code == kWsNoCode ? 0 : code);
  } else if (event == Event::kBad) {
    const uint16_t code = ws->reader.close_code();
    Fail(connection, code == kWsTooLarge ? CloseReason::kTooLarge : CloseReason::kMalformed, code);
  }
}

// Passes a whole message on; `part` is its last part in the arena. Returns false when no more bytes of the connection
// may be used.
bool Reactor::TakeMessage(Connection* connection, Bytes part, Consumed* consumed) {
  ByteQueue& held = connection->ws->message;
  const bool in_arena = held.size() == 0;
  consumed->completed = true;
  RawMessage message;
  if (in_arena) {
    SetUnparsed(part, &message);
    consumed->parsed = static_cast<size_t>(part.data + part.size - message_base_);
    if (!OnFrame(connection, message, part, true)) return false;
  } else {
    held.Append(part);
    const Bytes frame{held.data(), held.size()};
    SetUnparsed(frame, &message);
    AddMessage(connection, message, frame.data, static_cast<int32_t>(large_.size()));
    large_.push_back({held.Release(), frame.size});
  }
  if (!inbox_.Full()) return true;
  consumed->delivered = true;
  Deliver(true);
  return connection->state == Connection::State::kOpen;
}

// Appends the answer to the ping that was just read.
void Reactor::AppendPong(Connection* connection) {
  WebSocket* const ws = connection->ws.get();
  const Bytes payload = ws->reader.control();
  if (connection->backlog != nullptr) {
    // The peer does not read: only the last of many pings is answered.
    ws->pong = std::make_unique<std::string>(reinterpret_cast<const char*>(payload.data), payload.size);
    return;
  }
  uint8_t frame[kMaxWsHeader + kMaxWsControl];
  if (pongs_.size() > kMaxPongs) pongs_.Rewind();
  const uint8_t* const end = PackWsControl(frame, WsOpcode::kPong, payload, NextMask(connection));
  pongs_.Append({frame, static_cast<size_t>(end - frame)});
}

void Reactor::WritePongs(Connection* connection) {
  if (pongs_.size() == 0) return;
  if (connection->state == Connection::State::kOpen) {
    const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(pongs_.data()), static_cast<unsigned>(pongs_.size()));
    Write(connection, &buffer, 1, pongs_.size(), 0);
  }
  pongs_.Rewind();
}

// Writes the pong that waited for the peer, if there is one.
void Reactor::WriteLatePong(Connection* connection) {
  if (connection->ws == nullptr || connection->ws->pong == nullptr) return;
  const std::unique_ptr<std::string> payload = std::move(connection->ws->pong);
  uint8_t frame[kMaxWsHeader + kMaxWsControl];
  const Bytes bytes{reinterpret_cast<const uint8_t*>(payload->data()), payload->size()};
  const uint8_t* const end = PackWsControl(frame, WsOpcode::kPong, bytes, NextMask(connection));
  const size_t size = static_cast<size_t>(end - frame);
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(frame), static_cast<unsigned>(size));
  Write(connection, &buffer, 1, size, 0);
}

// Sends a close frame, once. Requires an open connection.
void Reactor::SendClose(Connection* connection, uint16_t code) {
  WebSocket* const ws = connection->ws.get();
  if (std::exchange(ws->close_sent, true)) return;
  ws->pong.reset();
  uint8_t frame[kMaxWsHeader + kMaxWsControl];
  const uint8_t* const end = PackWsClose(frame, code, NextMask(connection));
  const size_t size = static_cast<size_t>(end - frame);
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(frame), static_cast<unsigned>(size));
  Write(connection, &buffer, 1, size, 0);
}

// Ends a connection whose peer broke the protocol or a limit: the peer is told why, so that the connection lingers
// until it has read that.
void Reactor::Fail(Connection* connection, CloseReason reason, uint16_t code) {
  SendClose(connection, code);
  if (connection->state != Connection::State::kOpen) return;
  connection->end_reason = reason;
  connection->state = Connection::State::kEnding;
  if (connection->backlog == nullptr) Shutdown(connection);
}

// Writes one message as a frame. Returns false when the connection failed.
bool Reactor::StageFrame(Connection* connection, Gather* gather, const RawMessage& message, bool packed, bool reply) {
  const WebSocket& ws = *connection->ws;
  const size_t size = packed ? message.body.size : PackedSize(message);
  const size_t header = size - message.body.size;
  const bool copy = message.body.size <= kCopyBody;
  const auto make_room = [&](size_t staged) {
    if (gather->Fits(staged)) return true;
    const bool written = Write(connection, gather->buffers(), gather->count(), gather->size(), gather->replies());
    gather->Reset();
    return written;
  };
  if (!make_room(kMaxWsHeader + header + (copy ? message.body.size : 0))) return false;
  const uint8_t* const mask = NextMask(connection);
  uint8_t* const start = gather->end();
  uint8_t* const payload = PackWsHeader(start, ws.Opcode(), size, mask);
  uint8_t* end = packed ? payload : PackHeader(payload, message);
  DMICRO_ASSERT(static_cast<size_t>(end - payload) == header);
  if (copy) end = StoreBytes(end, message.body);
  if (mask != nullptr) ApplyWsMask(payload, payload, static_cast<size_t>(end - payload), mask);
  gather->AppendStaged(static_cast<size_t>(end - start), reply);
  if (copy) return true;
  if (mask == nullptr) {
    gather->AppendReference(message.body, reply);
    return true;
  }
  // A masked body is a copy, made in steps, since other bytes of the outbox must not change.
  for (size_t at = 0; at < message.body.size;) {
    const size_t step = std::min(kMaskStep, message.body.size - at);
    if (!make_room(step)) return false;
    ApplyWsMask(gather->end(), message.body.data + at, step, mask, (header + at) % kWsMask);
    gather->AppendStaged(step, reply);
    at += step;
  }
  return true;
}

}  // namespace dmicro
