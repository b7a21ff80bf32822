#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "io/reactor.h"
#include "io/socket_io.h"

namespace dmicro {
namespace {

// Bytes that pass the layers before they are written.
constexpr size_t kMaxPass = 256 * 1024;

}  // namespace

bool Reactor::PushLayer(int32_t slot, int32_t generation, std::unique_ptr<Layer> layer) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->state != Connection::State::kOpen) return false;
  if (connection->layers == nullptr) connection->layers = std::make_unique<LayerStack>(&layer_scratch_);
  connection->layers->Push(std::move(layer));
  return true;
}

void Reactor::UseLayers(int32_t slot, int32_t generation, const std::function<void(LayerStack*, ByteQueue* out)>& use) {
  DMICRO_ASSERT(thread_.Here());
  Connection* const connection = Find(slot, generation);
  if (connection == nullptr || connection->layers == nullptr || connection->state != Connection::State::kOpen) return;
  use(connection->layers.get(), connection->layers->OutOfTop());
  if (!connection->layers->PassFromTop()) {
    Close(connection, CloseReason::kIo, UV_EPROTO);
    return;
  }
  connection->layer_waits = false;
  if (!WriteLayerOut(connection, 0)) return;
  // Waiting bytes are received in a later turn: this may be a call from inside of a batch.
  if (connection->layers->Pending() && connection->MayRead()) Yield(connection);
}

// Receives `bytes`, which the socket has read, and what waits in the layers.
void Reactor::ReceiveLayered(Connection* connection, Bytes bytes) {
  LayerStack* const layers = connection->layers.get();
  layers->Feed(bytes);
  do {
    if (!connection->MayRead()) break;
    if (!RoomToRead()) {
      Yield(connection);
      break;
    }
    const Framer::Space space = Reserve(connection);
    size_t n = 0;
    const LayerStatus status = layers->Receive(space.data, space.size, &n);
    const bool sent = status == LayerStatus::kFailed || WriteLayerOut(connection, 0);
    if (n != 0 && connection->state == Connection::State::kOpen) {
      Consume(connection, n);
      DeliverIfFull();
    } else {
      connection->framer.Cancel();
    }
    if (!sent || connection->state != Connection::State::kOpen) break;
    if (status == LayerStatus::kFailed) {
      WriteLayerOut(connection, 0);  // the alert
      if (connection->state == Connection::State::kOpen) Close(connection, CloseReason::kIo, UV_EPROTO);
      break;
    }
    if (status == LayerStatus::kEnded) {
      OnEnd(connection, UV_EOF);
      break;
    }
    if (status == LayerStatus::kEvent && !ReportLayerEvent(connection)) break;
    if (status == LayerStatus::kWait) {
      connection->layer_waits = true;
      uv_read_stop(connection->stream());
    }
  } while (layers->Pending());
  layers->Keep();
}

// Adds the record of an event. Returns false when the connection was closed meanwhile, or there is no room: then the
// event waits for a later turn.
bool Reactor::ReportLayerEvent(Connection* connection) {
  if (inbox_.Full()) Deliver(false);
  if (connection->state != Connection::State::kOpen) return false;
  if (inbox_.Full()) {
    Yield(connection);
    return false;
  }
  const LayerEvent event = connection->layers->TakeEvent();
  uint8_t* const copy = static_cast<uint8_t*>(std::malloc(event.payload.size() + 1));
  if (copy == nullptr) std::abort();  // out of memory: abort, as V8 and new do
  std::memcpy(copy, event.payload.data(), event.payload.size());
  Record* const record = AddRecord(connection, kLayer);
  record->bits = event.kind;
  record->body_start = 0;
  record->body_end = static_cast<int32_t>(event.payload.size());
  record->large = static_cast<int32_t>(large_.size());
  large_.push_back({copy, event.payload.size()});
  return true;
}

// Writes what the layers appended to the scratch. `replies` of the bytes are bytes of replies. Returns false when the
// connection failed.
bool Reactor::WriteLayerOut(Connection* connection, size_t replies) {
  ByteQueue& out = layer_scratch_.out;
  if (out.size() == 0) {
    if (connection->kcp != nullptr) NoteKcpSent(connection, replies);
    return connection->state == Connection::State::kOpen;
  }
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(out.data()), static_cast<unsigned>(out.size()));
  const bool written = WriteSocket(connection, &buffer, 1, out.size(), replies);
  out.Rewind();
  return written;
}

bool Reactor::WriteLayered(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t replies) {
  for (unsigned i = 0; i < count; i++) {
    for (size_t at = 0; at < buffers[i].len;) {
      const size_t size = std::min(buffers[i].len - at, kMaxPass);
      if (!connection->layers->Send({reinterpret_cast<uint8_t*>(buffers[i].base) + at, size})) {
        layer_scratch_.out.Rewind();
        Close(connection, CloseReason::kIo, UV_EPROTO);
        return false;
      }
      at += size;
      if (layer_scratch_.out.size() < kMaxPass) continue;
      // Replies are assumed to be the last bytes, as in WriteSocket.
      size_t rest = buffers[i].len - at;
      for (unsigned k = i + 1; k < count; k++) rest += buffers[k].len;
      const size_t now = replies > rest ? replies - rest : 0;
      if (!WriteLayerOut(connection, now)) return false;
      replies -= now;
    }
  }
  return WriteLayerOut(connection, replies);
}

// Sends the ends of the layers, before FIN.
void Reactor::EndLayers(Connection* connection) {
  connection->layers->End();
  WriteLayerOut(connection, 0);
}

// Sends the ends of the layers if the socket takes them at once: the connection is being closed. Bytes that wait would
// never be sent before them.
void Reactor::EndLayersNow(Connection* connection) {
  if (connection->state != Connection::State::kOpen || connection->backlog != nullptr) return;
  ByteQueue& out = layer_scratch_.out;
  connection->layers->End();
  if (out.size() == 0) return;
  const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(out.data()), static_cast<unsigned>(out.size()));
  TryWrite(connection->stream(), &buffer, 1);
  out.Rewind();
}

}  // namespace dmicro
