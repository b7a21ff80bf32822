#pragma once

#include <cstdint>

namespace dmicro {

// How the bytes of a connection are split for the upper layer. src/transports/transport.ts has the same numbers.
enum class Framing : uint8_t {
  kRaw,       // frames of the raw protocol, parsed
  kEnvelope,  // whole envelopes (envelope.h)
  kStream,    // bytes as they come
  kPeek,      // all bytes that have come so far, until the upper layer sets another framing
  kMessage,   // whole messages of a WebSocket
};
inline constexpr uint32_t kFramings = 5;

struct FrameLimits {
  uint32_t max_message = 0;
  uint32_t max_filters = 0;
  Framing framing = Framing::kRaw;
};

}  // namespace dmicro
