#include <algorithm>
#include <cstring>
#include <utility>

#include "io/gather.h"
#include "io/reactor.h"
#include "io/socket_io.h"

namespace dmicro {
namespace {

constexpr size_t kMaxBuffer = size_t{1} << 30;

static_assert(kMaxUnescaped * kMaxEscape + 2 <= kCopyBody);  // so `quoted_` is free again once the message is staged

// From so many on, each is found to have left the processor's cache when its turn comes: the system's part of a write
// uses most of it.
constexpr size_t kManyConnections = 128;
constexpr size_t kCacheLine = 64;

// Brings a connection into the cache while the one before it is written.
void Prefetch(const Connection& connection) {
  const char* const begin = reinterpret_cast<const char*>(&connection);
  for (size_t at = 0; at < sizeof(Connection); at += kCacheLine) __builtin_prefetch(begin + at);
  __builtin_prefetch(connection.ws.get());
}

bool IsReply(uint8_t type) { return type == kTypeReply || type == kTypeLast; }

}  // namespace

void Reactor::Drain() { DrainWith({}); }

void Reactor::DrainWith(Bytes body) {
  Control* const control = rings_.control;
  if (control->send_next != control->send_base) DrainSends(control->send_base, control->send_next, body);
  control->send_next = control->send_base;
  control->outbox_next = control->outbox_base;
}

void Reactor::DrainSends(int32_t first, int32_t next, Bytes large) {
  DMICRO_ASSERT(thread_.Here());
  // Values that JavaScript wrote are checked before they are used, here and in Flush.
  if (first < 0 || next <= first || static_cast<uint32_t>(next) > rings_.max_sends) return;
  const int32_t count = std::min<int32_t>(next - first, kMaxSends);
  const Send* const sends = rings_.sends + first;
  for (int32_t i = 0; i < count; i++) {
    const Send& send = sends[i];
    Connection* const connection = table_.Find(send.slot, send.generation);
    if (connection == nullptr || connection->state != Connection::State::kOpen) continue;
    if (connection->first_send < 0) {
      connection->first_send = i;
      dirty_.push_back(connection);
    } else {
      next_send_[static_cast<size_t>(connection->last_send)] = i;
    }
    connection->last_send = i;
    next_send_[static_cast<size_t>(i)] = -1;
  }
  const bool prefetch = dirty_.size() >= kManyConnections;
  for (size_t i = 0; i < dirty_.size(); i++) {
    Connection* const connection = dirty_[i];
    if (prefetch && i + 1 < dirty_.size()) Prefetch(*dirty_[i + 1]);
    // Only the connection of the last message can own the large body.
    Flush(connection, sends, connection->last_send == count - 1 ? large : Bytes{});
    connection->first_send = connection->last_send = -1;
  }
  dirty_.clear();
  traffic_ = true;
}

void Reactor::Flush(Connection* connection, const Send* sends, Bytes large) {
  const auto run = [this](int32_t start, int32_t size) -> Bytes {
    const bool inside =
        start >= 0 && size >= 0 && static_cast<uint32_t>(start) + static_cast<uint32_t>(size) <= rings_.outbox_size;
    return inside ? Bytes{rings_.outbox + start, static_cast<size_t>(size)} : Bytes{};
  };
  Gather gather(&staging_);
  for (int32_t i = connection->first_send; i >= 0; i = next_send_[static_cast<size_t>(i)]) {
    const Send& send = sends[i];
    RawMessage message;
    message.seq = send.seq;
    message.type = static_cast<uint8_t>(send.bits);
    message.codec = static_cast<uint8_t>(send.bits >> 8);
    message.method = send.route >= 0 ? names_.At(send.route) : run(send.name_start, send.name_size);
    message.status = run(send.status_start, send.status_size);
    message.meta = run(send.meta_start, send.meta_size);
    message.body = i == connection->last_send && large.data != nullptr ? large : run(send.body_start, send.body_size);
    if ((send.bits & kQuoteBit) != 0) message.body = Escape(message.body);
    if (message.method.size > kMaxMethod || message.status.size > kMaxStatus || message.meta.size > kMaxMeta) continue;
    const bool ready = message.type == kTypeUnparsed;
    const bool reply = ready ? (send.bits & kAnswerBit) != 0 : IsReply(message.type);
    if (connection->ws != nullptr) {
      if (!StageFrame(connection, &gather, message, ready, reply)) return;
      continue;
    }
    const bool copy = message.body.size <= kCopyBody;
    const size_t staged = (ready ? 0 : HeaderBound(message)) + (copy ? message.body.size : 0);
    if (!gather.Fits(staged)) {
      if (!Write(connection, gather.buffers(), gather.count(), gather.size(), gather.replies())) return;
      gather.Reset();
    }
    uint8_t* const start = gather.end();
    uint8_t* end = ready ? start : PackHeader(start, message);
    if (copy) end = StoreBytes(end, message.body);
    if (end != start) gather.AppendStaged(static_cast<size_t>(end - start), reply);
    if (!copy) gather.AppendReference(message.body, reply);
  }
  if (gather.count() != 0) Write(connection, gather.buffers(), gather.count(), gather.size(), gather.replies());
}

// The JSON string of a text in quotes whose escapes are missing, borrowed until the next call.
Bytes Reactor::Escape(Bytes body) {
  if (body.size < 2 || body.size - 2 > kMaxUnescaped) return body;
  const Bytes text{body.data + 1, body.size - 2};
  if (!NeedsEscape(text)) return body;
  return {quoted_.data(), static_cast<size_t>(QuoteJson(quoted_.data(), text) - quoted_.data())};
}

// `replies` of the `size` bytes are bytes of replies. Returns false when the connection failed.
bool Reactor::Write(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t size, size_t replies) {
  if (connection->layers != nullptr) return WriteLayered(connection, buffers, count, replies);
  return WriteSocket(connection, buffers, count, size, replies);
}

// Writes bytes that have passed all layers.
bool Reactor::WriteSocket(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t size,
                          size_t replies) {
  size_t sent = 0;
  if (connection->backlog == nullptr) {
    const int result = TryWrite(connection->stream(), buffers, count);
    if (result >= 0) {
      sent = static_cast<size_t>(result);
    } else if (result != UV_EAGAIN) {
      Close(connection, CloseReason::kIo, result);
      return false;
    }
    if (sent == size) return true;
    connection->backlog = std::make_unique<Backlog>();
    connection->backlog->progress_at = uv_now(loop_);
    Watch(connection);
  }
  // Which bytes the socket took is not tracked: replies are assumed to be the last of them.
  connection->backlog->replies_waiting += std::min(replies, size - sent);
  for (unsigned i = 0; i < count; i++) {
    const size_t skip = std::min<size_t>(sent, buffers[i].len);
    sent -= skip;
    connection->backlog->waiting.Append({reinterpret_cast<uint8_t*>(buffers[i].base) + skip, buffers[i].len - skip});
  }
  if (connection->backlog->writing.size() == 0) WriteBacklog(connection);
  if (connection->state != Connection::State::kOpen) return false;
  NoteUnsent(connection);
  // The upper layer sees this state in `Rings::replies`; kWritable reports its end.
  if (connection->UnsentReplies() > connection->limits.max_unsent / 2) connection->needs_drain = true;
  return true;
}

void Reactor::NoteUnsent(const Connection* connection) {
  const auto clamped = [](size_t bytes) { return static_cast<int32_t>(std::min<size_t>(bytes, INT32_MAX)); };
  StoreWord(&rings_.unsent[connection->slot], clamped(connection->Unsent()));
  StoreWord(&rings_.replies[connection->slot], clamped(connection->UnsentReplies()));
}

// Counts a sign of life of the peer.
void Reactor::NoteActivity(const Connection* connection) {
  int32_t* const activity = &rings_.activity[connection->slot];
  StoreWord(activity, static_cast<int32_t>(static_cast<uint32_t>(LoadWord(activity)) + 1));
}

void Reactor::WriteBacklog(Connection* connection) {
  Backlog* const backlog = connection->backlog.get();
  DMICRO_ASSERT(backlog != nullptr && backlog->writing.size() == 0 && backlog->waiting.size() != 0);
  backlog->writing.Swap(backlog->waiting);
  std::swap(backlog->replies_writing, backlog->replies_waiting);
  backlog->request.data = connection;
  // libuv counts the bytes of a buffer in 32 bits, so that a long backlog takes several buffers.
  std::vector<uv_buf_t> buffers;
  char* at = reinterpret_cast<char*>(backlog->writing.data());
  for (size_t left = backlog->writing.size(); left != 0;) {
    const size_t size = std::min(left, kMaxBuffer);
    buffers.push_back(uv_buf_init(at, static_cast<unsigned>(size)));
    at += size;
    left -= size;
  }
  const auto written = [](uv_write_t* request, int status) {
    Connection* const connected = static_cast<Connection*>(request->data);
    connected->reactor->OnWritten(connected, status);
  };
  const int error =
      uv_write(&backlog->request, connection->stream(), buffers.data(), static_cast<unsigned>(buffers.size()), written);
  if (error != 0) Close(connection, CloseReason::kIo, error);
}

void Reactor::OnWritten(Connection* connection, int status) {
  if (connection->state == Connection::State::kClosing) return;
  if (status != 0) {
    Close(connection, CloseReason::kIo, status);
    return;
  }
  Backlog* const backlog = connection->backlog.get();
  backlog->writing.Clear();
  backlog->replies_writing = 0;
  backlog->progress_at = uv_now(loop_);
  NoteActivity(connection);
  NoteUnsent(connection);
  const size_t replies = connection->UnsentReplies();
  if (connection->needs_drain && (replies == 0 || replies < connection->limits.max_unsent / 4)) {
    connection->needs_drain = false;
    AddRecord(connection, kWritable);
    if (std::exchange(connection->eof_deferred, false) && connection->MayRead()) StartReading(connection);
  }
  if (backlog->waiting.size() != 0) {
    WriteBacklog(connection);
    return;
  }
  connection->backlog.reset();
  if (connection->state == Connection::State::kEnding) {
    Shutdown(connection);
  } else {
    WriteLatePong(connection);
  }
}

// Sends FIN when everything is written, and waits for the FIN of the peer (OnRead) or for kLinger (OnSweep).
void Reactor::Shutdown(Connection* connection) {
  connection->ending_since = uv_now(loop_);
  connection->partial_since = 0;
  Watch(connection);
  if (connection->eof_deferred || connection->held || connection->peeked) {
    connection->eof_deferred = connection->held = connection->peeked = false;
    if (connection->MayRead()) StartReading(connection);
  }
  // The client of a WebSocket waits for the server to end the connection, as RFC 6455 §7.1.1 asks.
  if (connection->ws != nullptr && connection->ws->client) return;
  uv_shutdown_t* const request = new uv_shutdown_t;
  const int error = uv_shutdown(request, connection->stream(), [](uv_shutdown_t* done, int) { delete done; });
  if (error != 0) {
    delete request;
    Close(connection, connection->end_reason, 0);
  }
}

}  // namespace dmicro
