#pragma once

#include <string>

#include "wire/byte_queue.h"
#include "wire/bytes.h"

namespace dmicro {

// A layer's answer after it received bytes.
enum class LayerStatus : uint8_t {
  kMore,    // all bytes are used: more of them must be received
  kEvent,   // TakeEvent has news for the upper layer, until it is called; then Receive is to be called again
  kWait,    // nothing can be used until the upper layer has answered an event
  kEnded,   // the peer has ended its direction in order: nothing follows
  kFailed,  // the peer broke the protocol; `out` may hold an alert for it. Error() says why
};

// News of a layer, reported to JavaScript in a record of kind kLayer. Kinds are unique among all layers.
struct LayerEvent {
  int32_t kind = 0;
  std::string payload;  // layout as the kind demands
};

// One protocol between a socket and the framing: TLS, WebSocket. Bytes in and bytes out; a layer knows no socket, so
// that it can be tested and fuzzed alone. A peer chooses all bytes that are received.
class Layer {
 public:
  Layer() = default;
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // Uses bytes of `*in`, which came from below, and removes what it used. Writes at most `size` bytes for the layer
  // above to `to`, and their number to `*n`. Appends what the layer itself has to send to `out`. When `*n` is `size` or
  // bytes of `*in` are left with kMore, more can be received at once. Requires size != 0.
  virtual LayerStatus Receive(Bytes* in, uint8_t* to, size_t size, size_t* n, ByteQueue* out) = 0;
  // Appends what carries `bytes` of the layer above to `out`. Returns false when the layer has failed. Borrowed until
  // this returns.
  virtual bool Send(Bytes bytes, ByteQueue* out) = 0;
  // Appends what ends this side's direction to `out`. Nothing is sent afterwards. Idempotent.
  virtual void End(ByteQueue* out) = 0;
  // Returns whether the peer has ended its direction in order: a FIN without that is a loss.
  virtual bool Ended() const = 0;
  // Returns whether Receive would give bytes without any from below; asked of a lowest layer that is a source.
  virtual bool Readable() const { return false; }
  // Returns the event that kEvent announced.
  virtual LayerEvent TakeEvent() { return {}; }
  // Returns a number for the cause of kFailed, which is reported with the closing; 0 for none.
  virtual int32_t Error() const { return 0; }
};

}  // namespace dmicro
