#include "io/reactor.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "io/kcp_io.h"

namespace dmicro {

namespace {

constexpr size_t kStagingSize = 256 * 1024;
// After our FIN a peer has this long to close its side. Until then its bytes are read and dropped, because closing a
// socket with unread bytes resets the connection and may destroy what the peer has not read yet.
constexpr uint64_t kLinger = 2000;  // ms
constexpr size_t kFrameTimeoutStep = 64 * 1024;
// A batch of a single connection is delivered in parts, each answered by a write of its own: otherwise the two ends
// take turns, one asleep while the other works. Measured on 1 connection, each end on its core: with 64 calls in flight
// 264 k calls/s whole and 554 k in parts of 24; with 1,024 in flight 437 k and 792 k. With several connections parts
// only cost time, because the ends overlap anyway.
constexpr int32_t kMinPart = 24;
constexpr int32_t kParts = 4;

// Free records without which nothing is read: a batch should hold at least that many, and a read bounded by them must
// have room for Framer::kMinScratch bytes.
constexpr size_t kMinRecords = 1100;
static_assert(kMinRecords * kEnvelopePrefix >= Framer::kMinScratch);

// Lanes without a sink: two halves of the records, and one arena, because a batch is read before the next byte is.
Lane HalfLane(uint32_t half) { return {0, kInboxSize, half * kMaxRecords, kMaxRecords}; }

}  // namespace

Reactor::Reactor(uv_loop_t* loop, const Rings& rings, BatchReader* reader)
    : loop_(loop),
      rings_(rings),
      reader_(reader),
      sink_(nullptr),
      inbox_(rings, HalfLane(0)),
      next_send_(kMaxSends),
      staging_(kStagingSize) {}

Reactor::Reactor(uv_loop_t* loop, const Rings& rings, BatchSink* sink, const Lane& first)
    : loop_(loop),
      rings_(rings),
      reader_(nullptr),
      sink_(sink),
      inbox_(rings, first),
      next_send_(kMaxSends),
      staging_(kStagingSize) {}

Reactor::~Reactor() {
  DeleteClosed();
  for (const HeapMessage& large : large_) std::free(large.data);
}

int Reactor::Start() {
  prepare_.data = check_.data = sweep_.data = backlog_.data = this;
  int error = uv_prepare_init(loop_, &prepare_);
  if (error == 0) error = uv_check_init(loop_, &check_);
  if (error == 0) error = uv_timer_init(loop_, &sweep_);
  if (error == 0) error = uv_idle_init(loop_, &backlog_);
  if (error != 0) return error;
  handles_ = 4;
  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) { static_cast<Reactor*>(handle->data)->OnPrepare(); });
  uv_check_start(&check_, [](uv_check_t* handle) { static_cast<Reactor*>(handle->data)->OnCheck(); });
  for (uv_handle_t* handle : {reinterpret_cast<uv_handle_t*>(&prepare_), reinterpret_cast<uv_handle_t*>(&check_),
                              reinterpret_cast<uv_handle_t*>(&sweep_)}) {
    uv_unref(handle);  // only sockets keep a process alive
  }
  return 0;
}

void Reactor::Stop(std::function<void()> done) {
  DMICRO_ASSERT(thread_.Here() && !stopped_);
  stopped_ = true;
  DeleteClosed();
  done_ = std::move(done);
  for (size_t id = 0; id < listeners_.size(); id++) CloseListener(static_cast<int32_t>(id));
  table_.Each([this](Connection* connection) { Close(connection, CloseReason::kLocal, 0); });
  const auto closed = [](uv_handle_t* handle) { static_cast<Reactor*>(handle->data)->OnHandleClosed(); };
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&sweep_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&backlog_), closed);
  if (kcp_ != nullptr) uv_close(reinterpret_cast<uv_handle_t*>(&kcp_->timer), closed);
}

void Reactor::OnHandleClosed() {
  DMICRO_ASSERT(handles_ != 0);
  if (--handles_ != 0 || !done_) return;
  const std::function<void()> done = std::move(done_);  // `done` may delete this reactor
  done();
}

void Reactor::OnPrepare() {
  uv_idle_stop(&backlog_);
  DeleteClosed();
  Drain();
  if (kcp_ != nullptr) SendKcp();
  if (!inbox_.Empty()) Deliver(false);
  Resume();
  if (!inbox_.Empty()) Deliver(false);  // Resume may have reported connections
  if (kcp_ != nullptr) SendKcp();
  if (busy_poll_ns_ != 0 && traffic_) Spin();
  traffic_ = false;
}

void Reactor::OnCheck() {
  if (!inbox_.Empty()) Deliver(false);
  if (kcp_ != nullptr) SendKcp();
}

void Reactor::Deliver(bool keep_arena) {
  DMICRO_ASSERT(thread_.Here());
  if (delivering_ || stopped_) return;
  traffic_ = true;
  if (sink_ != nullptr) {
    PublishBatch();
    return;
  }
  delivering_ = true;
  const Batch batch = inbox_.Flip(HalfLane(half_ ^= 1));
  const int32_t stride = sources_ == 1 ? std::max(kMinPart, batch.count / kParts) : batch.count;
  sources_ = 0;
  for (int32_t at = 0; at < batch.count; at += stride) {
    rings_.control->first = batch.first + at;
    rings_.control->count = std::min(stride, batch.count - at);
    reader_->OnBatch();
    Drain();
  }
  Reclaim(batch);
  for (const HeapMessage& large : large_) std::free(large.data);
  large_.clear();
  if (!keep_arena) inbox_.Clear();
  delivering_ = false;
  // Events beyond one batch wait for the next phase.
  if (inbox_.Empty() && yielded_.Empty() && unreported_.Empty()) {
    uv_idle_stop(&backlog_);
  } else {
    KeepTurning();
  }
}

// Makes the next turn of the loop start at once, even when no other event is due: the handles of the connections that
// wait for that turn may be closed or not read, and a loop without active handles ends.
void Reactor::KeepTurning() {
  uv_idle_start(&backlog_, [](uv_idle_t*) {});
}

// Deletes what closed while a batch was read. Not during a batch: a reader that runs the loop itself would delete
// objects that functions on the stack still use.
void Reactor::DeleteClosed() {
  if (delivering_) return;
  while (Connection* const closed = closed_connections_.Pop()) delete closed;
  for (Listener* closed : std::exchange(closed_listeners_, {})) delete closed;
}

// While the reader is behind, the lane continues to be filled: batches grow with the load, and the number of wake-ups
// does not.
void Reactor::PublishBatch() {
  if (!sink_->Ready()) {
    uv_idle_stop(&backlog_);  // the sink wakes the loop
    return;
  }
  sink_->Publish(inbox_.Flip(sink_->NextLane()), std::exchange(large_, {}));
  if (!inbox_.Empty()) KeepTurning();
}

// Returns whether there is room for what one read or one opened connection adds. Without a sink nothing is read while
// the reader has a batch: the batch occupies the arena, and a read that delivers before it is finished occupies the
// rest.
bool Reactor::RoomToRead() const {
  if (inbox_.Low()) return false;
  return sink_ == nullptr ? !delivering_ : inbox_.FreeRecords() >= kMinRecords;
}

// Slots are freed only now, because only now does the upper layer know that their connections closed.
void Reactor::Reclaim(Batch batch) {
  DMICRO_ASSERT(thread_.Here());
  if (retired_ == 0) return;
  const Record* record = rings_.records + batch.first;
  for (const Record* end = record + batch.count; record != end; record++) {
    if (record->kind != kClose) continue;
    table_.Free(record->slot);
    retired_--;
  }
}

HeapMessage Reactor::TakeLarge(int32_t index) {
  DMICRO_ASSERT(thread_.Here());
  if (index < 0 || static_cast<size_t>(index) >= large_.size()) return {nullptr, 0};
  return std::exchange(large_[static_cast<size_t>(index)], {nullptr, 0});
}

void Reactor::Watch(Connection* connection) {
  DMICRO_ASSERT(connection->state != Connection::State::kClosing);
  if (connection->watched()) return;
  watched_.Append(connection);
  const uint64_t strictest = std::min(connection->limits.frame_timeout, connection->limits.write_timeout);
  const uint64_t period = std::clamp<uint64_t>(strictest / 4, 10, 1000);
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(&sweep_)) != 0 && period >= sweep_period_) return;
  sweep_period_ = period;
  swept_at_ = uv_now(loop_);
  uv_timer_start(
      &sweep_, [](uv_timer_t* handle) { static_cast<Reactor*>(handle->data)->OnSweep(); }, period, period);
}

void Reactor::OnSweep() {
  const uint64_t now = uv_now(loop_);
  // This process was stalled: bytes that peers sent meanwhile are still unread, so no peer is late.
  const bool stalled = now - swept_at_ > 3 * sweep_period_;
  swept_at_ = now;
  Connection* next;
  for (Connection* connection = watched_.First(); connection != nullptr; connection = next) {
    next = watched_.After(connection);
    const size_t held = connection->framer.held() + (connection->ws == nullptr ? 0 : connection->ws->message.size());
    const uint64_t steps = 1 + held / kFrameTimeoutStep;
    Backlog* const backlog = connection->backlog.get();
    if (backlog != nullptr) {
      // The bytes in `waiting` do not count: their number grows with what we send and says nothing about the peer.
      const size_t left = uv_stream_get_write_queue_size(connection->stream());
      if (left != backlog->seen) backlog->progress_at = now;
      if (left < backlog->seen) NoteActivity(connection);
      backlog->seen = left;
    }
    if (stalled && backlog != nullptr) backlog->progress_at = now;
    // While the connection is not read, the peer cannot complete its frame.
    const bool unread = stalled || !connection->MayRead();
    if (unread && connection->partial_since != 0) connection->partial_since = now;
    if (connection->partial_since != 0 && now - connection->partial_since > connection->limits.frame_timeout * steps) {
      Close(connection, CloseReason::kFrameTimeout, 0);
    } else if (backlog != nullptr && now - backlog->progress_at > connection->limits.write_timeout) {
      Close(connection, CloseReason::kWriteTimeout, 0);
    } else if (connection->ending_since != 0 && now - connection->ending_since > kLinger) {
      Close(connection, connection->end_reason, 0);
    } else if (connection->partial_since == 0 && backlog == nullptr && connection->ending_since == 0) {
      connection->Linked<Watched>::Unlink();
    }
  }
  if (watched_.Empty()) uv_timer_stop(&sweep_);
}

void Reactor::End(int32_t slot, int32_t generation) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->state == Connection::State::kEnding) return;
  Drain();
  if (connection->state == Connection::State::kConnecting) {
    Close(connection, CloseReason::kLocal, 0);
  } else if (connection->state == Connection::State::kOpen) {
    if (connection->ws != nullptr) SendClose(connection, kWsNormal);
    if (connection->state == Connection::State::kClosing) return;
    if (connection->layers != nullptr) EndLayers(connection);
    if (connection->state == Connection::State::kClosing) return;
    connection->state = Connection::State::kEnding;
    if (connection->kcp != nullptr) {
      EndKcp(connection);
      return;
    }
    if (connection->backlog == nullptr) Shutdown(connection);
  }
}

void Reactor::Destroy(int32_t slot, int32_t generation, CloseReason reason) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection != nullptr) Close(connection, reason, 0);
}

void Reactor::PauseReading(int32_t slot, int32_t generation) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->state != Connection::State::kOpen || connection->held) return;
  connection->held = true;
  uv_read_stop(connection->stream());
}

void Reactor::ResumeReading(int32_t slot, int32_t generation) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->state != Connection::State::kOpen || !connection->held) return;
  connection->held = false;
  if (connection->MayRead()) StartReading(connection);
}

int Reactor::SetOption(int32_t slot, int32_t generation, SocketOption option, uint32_t value) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return UV_EBADF;
  if (connection->kcp != nullptr) return SetKcpOption(connection, option, value);
  return SetSocketOption(connection->uv(), option, value);
}

int Reactor::Descriptor(int32_t slot, int32_t generation) const {
  Connection* const connection = Find(slot, generation);
  uv_os_fd_t descriptor;
  if (connection == nullptr || uv_fileno(connection->uv(), &descriptor) != 0) return -1;
  return descriptor;
}

void Reactor::SetFraming(int32_t slot, int32_t generation, Framing framing, size_t skip, uint32_t web_socket) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return;
  if (connection->framing != Framing::kPeek || connection->framing_set) return;
  if (web_socket != 0) {
    Drain();  // the handshake is no frame
    if (connection->state != Connection::State::kOpen) return;
    connection->ws = std::make_unique<WebSocket>(web_socket);
  }
  connection->peeked = false;
  connection->framer.Skip(skip);
  if (framing == Framing::kPeek) {
    if (connection->framer.held() >= Framer::kMaxPeek) {
      Close(connection, CloseReason::kProtocol, 0);  // more bytes are asked for than may be peeked at
      return;
    }
    if (connection->MayRead()) StartReading(connection);
    return;
  }
  connection->framing = framing;
  connection->framing_set = true;
  connection->partial_since = 0;
  // The bytes are parsed in a later turn, because their messages must not overtake the batch that the upper layer is
  // reading.
  Yield(connection);
}

// Idempotent. The next batch reports the closing to the upper layer; the connection is deleted when libuv has closed
// the handle.
void Reactor::Close(Connection* connection, CloseReason reason, int error) {
  DMICRO_ASSERT(thread_.Here());
  if (connection->state == Connection::State::kClosing) return;
  if (connection->ws != nullptr && connection->state == Connection::State::kOpen && connection->backlog == nullptr &&
      reason != CloseReason::kIo && reason != CloseReason::kPeer && !connection->ws->close_sent) {
    SendClose(connection, CloseCodeOf(reason));
    if (connection->state == Connection::State::kClosing) return;
  }
  if (connection->layers != nullptr && reason != CloseReason::kIo) EndLayersNow(connection);
  if (connection->kcp != nullptr) CloseKcp(connection);
  connection->state = Connection::State::kClosing;
  connection->Linked<Watched>::Unlink();
  connection->Linked<Waiting>::Unlink();
  Record* const record = AddRecord(connection, kClose);
  record->seq = static_cast<int32_t>(reason);
  record->route = error;
  record->bits = connection->layers == nullptr ? 0 : connection->layers->Error();
  table_.Retire(connection);
  retired_++;
  uv_close(connection->uv(), OnConnectionClosed);
}

Record* Reactor::AddRecord(const Connection* connection, RecordKind kind) {
  Record* const record = inbox_.Add();
  record->slot = connection->slot;
  record->generation = connection->generation;
  record->kind = kind;
  record->large = -1;
  return record;
}

}  // namespace dmicro
