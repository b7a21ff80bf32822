#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/raw_frame.h"

namespace dmicro_bench {

// WebSocket frames (RFC 6455 §5.2) of a client, and those of a server.

inline constexpr uint8_t kTextFrame = 1;
inline constexpr uint8_t kBinaryFrame = 2;

// Two bytes, more of the length, four of the mask.
inline size_t ClientHeaderSize(size_t payload) { return payload < 126 ? 6 : payload <= 0xFFFF ? 8 : 14; }
void PutClientHeader(uint8_t opcode, size_t payload, uint32_t mask, char* out);
// Masks or unmasks in place. The mask's first byte on the wire is its lowest.
void Mask(uint32_t mask, char* bytes, size_t size);

struct ServerFrame {
  size_t size;  // with its header
  uint8_t opcode;
  std::string_view payload;
};

// Reads one frame from the start of `received`. Bad: fragments, reserved bits, a mask, a length that is not in its
// shortest form or above `max_payload`.
Parse CutServerFrame(std::string_view received, size_t max_payload, ServerFrame* frame);

}  // namespace dmicro_bench
