#pragma once

#include <cstdint>

namespace dmicro {

// How a connection's bytes are cut for the upper layer. src/transport.ts has the same numbers.
enum class Framing : uint8_t {
  kRaw,       // frames of the raw protocol, taken apart
  kEnvelope,  // whole envelopes (envelope.h)
  kStream,    // bytes as they come
  kPeek,      // the first bytes, all that came so far, until the upper layer chooses another
};
inline constexpr uint32_t kFramings = 4;

struct FrameLimits {
  uint32_t max_message = 0;
  uint32_t max_filters = 0;
  Framing framing = Framing::kRaw;
};

}  // namespace dmicro
