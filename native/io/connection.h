#pragma once

#include <uv.h>

#include <memory>

#include "io/list.h"
#include "io/ring_layout.h"
#include "io/socket_options.h"
#include "wire/byte_queue.h"
#include "wire/framer.h"

namespace dmicro {

class Reactor;

// What one connection must hold its peer to (src/limits.ts).
struct WireLimits {
  FrameLimits frame;
  uint64_t max_unsent = 0;
  uint32_t frame_timeout = 0;  // ms
  uint32_t write_timeout = 0;  // ms
  SocketOptions socket;
};

// What a socket did not take at once. Exists only while there is some: an idle session holds no buffer.
struct Backlog {
  uv_write_t request;
  ByteQueue writing;  // in the kernel's hands, must not move
  ByteQueue waiting;
  size_t replies_writing = 0;  // of those bytes, what answers the peer
  size_t replies_waiting = 0;
  uint64_t progress_at = 0;  // uv_now of the last byte taken
  size_t seen = 0;           // bytes of `writing` left then
};

// Lists a connection can be in: of those a timeout may strike, and of those that wait for a later turn.
struct Watched;
struct Waiting;

// One socket and its peer's unfinished frame. Owned by its reactor; freed in the callback of uv_close.
struct Connection : Linked<Watched>, Linked<Waiting> {
  enum class State : uint8_t { kConnecting, kOpen, kEnding, kClosing };

  Connection(Reactor* owner, const WireLimits& wire_limits)
      : reactor(owner), limits(wire_limits), framing(wire_limits.frame.framing) {}

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  uv_handle_t* uv() { return reinterpret_cast<uv_handle_t*>(&handle); }
  FrameLimits Frame() const { return {limits.frame.max_message, limits.frame.max_filters, framing}; }
  bool watched() const { return Linked<Watched>::linked(); }
  bool waiting() const { return Linked<Waiting>::linked(); }
  bool MayRead() const { return !eof_deferred && !yielded && !held && !peeked; }
  size_t Unsent() const { return backlog == nullptr ? 0 : backlog->writing.size() + backlog->waiting.size(); }
  size_t UnsentReplies() const { return backlog == nullptr ? 0 : backlog->replies_writing + backlog->replies_waiting; }

  union Handle {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle;
  Reactor* const reactor;
  const WireLimits limits;
  Framer framer;
  Framing framing;  // kPeek until the upper layer chose
  std::unique_ptr<Backlog> backlog;
  int32_t slot = 0;
  int32_t generation = 0;
  State state = State::kConnecting;
  bool needs_drain = false;   // many replies are unsent: the upper layer was told and starts nothing that makes more
  bool eof_deferred = false;  // not reading: the peer's FIN came while pressed, and waits until it is no more
  bool yielded = false;       // not reading until the next turn: it had its share of this one, or was reframed
  bool held = false;          // not reading: the upper layer is busy with what it has
  bool peeked = false;        // not reading: the upper layer was shown the first bytes and has not answered yet
  int32_t token = -1;         // of the listener that accepted it, -1 when dialled
  int32_t first_send = -1;    // this turn's messages in the outbox, chained by Reactor::next_send_
  int32_t last_send = -1;
  uint64_t partial_since = 0;  // uv_now when the unfinished frame began, 0 if there is none
  uint64_t ending_since = 0;
  bool framing_set = false;  // what was peeked at is to be cut
};

}  // namespace dmicro
