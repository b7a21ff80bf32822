#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/raw_frame.h"
#include "options.h"
#include "protocols/websocket_frame.h"
#include "reply_limit.h"

namespace dmicro_bench {

// `Wire` with each of its messages in a WebSocket frame of its own (RFC 6455 §5.2): masked when sent, plain when
// received.
template <typename Wire>
class WebSocketOf {
 public:
  struct Reply : Wire::Reply {};
  static constexpr bool kMayOmitSeq = Wire::kMayOmitSeq;

  explicit WebSocketOf(const Options& options) : wire_(options), max_reply_(MaxReply(options)) {}

  size_t MaxSize() const { return ClientHeaderSize(wire_.MaxSize()) + wire_.MaxSize(); }

  size_t Build(uint32_t connection, int32_t seq, char* out) const {
    const size_t guess = ClientHeaderSize(wire_.MaxSize());
    const size_t size = wire_.Build(connection, seq, out + guess);
    const size_t header = ClientHeaderSize(size);
    // The shortest form of a length is the only one allowed, and the message may be a few bytes below its most.
    if (header != guess) memmove(out + header, out + guess, size);
    // Never 0, which a server might step over: what unmasking costs is part of what is measured.
    const uint32_t mask = (static_cast<uint32_t>(seq) * 0x9E3779B1u ^ connection * 0x85EBCA77u) | 0x01000001u;
    PutClientHeader(Wire::kIsText ? kTextFrame : kBinaryFrame, size, mask, out);
    Mask(mask, out + header, size);
    return header + size;
  }

  Parse Cut(std::string_view received, Reply* reply) const {
    ServerFrame frame;
    const Parse parsed = CutServerFrame(received, max_reply_, &frame);
    if (parsed != Parse::kWhole) return parsed;
    if (frame.opcode != kTextFrame && frame.opcode != kBinaryFrame) return Parse::kBad;
    const Parse inner = wire_.Cut(frame.payload, reply);
    // A message is one frame, and a frame one message.
    if (inner != Parse::kWhole || reply->size != frame.payload.size()) return Parse::kBad;
    reply->size = frame.size;
    return Parse::kWhole;
  }
  const char* Check(const Reply& reply, int32_t* seq) const { return wire_.Check(reply, seq); }
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
    return wire_.IsBody(connection, seq, reply);
  }

 private:
  Wire wire_;
  size_t max_reply_;
};

}  // namespace dmicro_bench
