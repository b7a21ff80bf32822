#pragma once

#include <uv.h>

#include <memory>

#include "io/list.h"
#include "io/ring_layout.h"
#include "io/socket_options.h"
#include "io/web_socket.h"
#include "layer/layer_stack.h"
#include "wire/byte_queue.h"
#include "wire/framer.h"

namespace dmicro {

class KcpPeer;
class Reactor;

// Limits of one connection (src/base/limits.ts), and the options of its socket.
struct WireLimits {
  FrameLimits frame;
  uint64_t max_unsent = 0;
  uint32_t frame_timeout = 0;  // ms
  uint32_t write_timeout = 0;  // ms
  SocketOptions socket;
  bool paused = false;  // opened without reading, until ResumeReading: the upper layer pushes layers first
};

// Bytes that the socket did not take at once. Allocated only while there are such bytes: an idle session has no buffer.
struct Backlog {
  uv_write_t request;
  ByteQueue writing;  // passed to libuv; must not move until the write is done
  ByteQueue waiting;
  size_t replies_writing = 0;  // bytes of replies in `writing`
  size_t replies_waiting = 0;
  uint64_t progress_at = 0;  // uv_now when the socket last took bytes
  size_t seen = 0;           // bytes of `writing` that were left at that time
};

// Tags of the lists that a connection can be in: connections with a timeout, and connections that wait for a later
// turn.
struct Watched;
struct Waiting;

// One socket and the unfinished frame that was read from it. Owned by its reactor; deleted after uv_close has called
// back.
struct Connection : Linked<Watched>, Linked<Waiting> {
  enum class State : uint8_t { kConnecting, kOpen, kEnding, kClosing };

  Connection(Reactor* owner, const WireLimits& wire_limits)
      : reactor(owner), limits(wire_limits), framing(wire_limits.frame.framing), held(wire_limits.paused) {}

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  uv_handle_t* uv() { return reinterpret_cast<uv_handle_t*>(&handle); }
  FrameLimits Frame() const { return {limits.frame.max_message, limits.frame.max_filters, framing}; }
  bool watched() const { return Linked<Watched>::linked(); }
  bool waiting() const { return Linked<Waiting>::linked(); }
  bool MayRead() const { return !eof_deferred && !yielded && !held && !peeked && !layer_waits; }
  size_t Unsent() const { return backlog == nullptr ? 0 : backlog->writing.size() + backlog->waiting.size(); }
  size_t UnsentReplies() const { return backlog == nullptr ? 0 : backlog->replies_writing + backlog->replies_waiting; }

  union Handle {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle;
  Reactor* const reactor;
  const WireLimits limits;
  Framer framer;
  Framing framing;  // kPeek until the upper layer calls SetFraming
  std::unique_ptr<Backlog> backlog;
  std::unique_ptr<LayerStack> layers;  // null for a connection without layers
  KcpPeer* kcp = nullptr;              // the lowest layer, for a connection over KCP: `handle` has no socket then
  std::unique_ptr<WebSocket> ws;       // null for a connection without WebSocket
  int32_t slot = 0;
  int32_t generation = 0;
  State state = State::kConnecting;
  CloseReason end_reason = CloseReason::kLocal;  // why the connection ends, in state kEnding
  bool needs_drain = false;   // many replies are unsent; the upper layer starts no more requests until kWritable
  bool eof_deferred = false;  // not reading: the peer's FIN came, and is handled when needs_drain is cleared
  bool yielded = false;  // not reading until the next turn: its share of this turn is used up, or its framing was set
  bool held;             // not reading: the upper layer called PauseReading
  bool peeked = false;   // not reading: the upper layer got the first bytes and has not called SetFraming yet
  bool layer_waits = false;  // not reading: a layer waits for the upper layer's answer to an event
  int32_t token = -1;        // token of the listener that accepted the connection, -1 when it was dialled
  int32_t first_send = -1;   // this turn's messages in the outbox, chained by Reactor::next_send_
  int32_t last_send = -1;
  uint64_t partial_since = 0;  // uv_now when the unfinished frame began, 0 if there is none
  uint64_t ending_since = 0;
  bool framing_set = false;  // the bytes that were peeked at must be parsed with the new framing
};

}  // namespace dmicro
