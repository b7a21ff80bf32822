#pragma once

#include "wire/bytes.h"

namespace dmicro {

// Frames of RFC 6455: what stands before a payload, and masks.

enum class WsOpcode : uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// Codes of close frames. kNoCode is never sent: a close frame without a code.
enum WsClose : uint16_t {
  kWsNormal = 1000,
  kWsGoingAway = 1001,
  kWsProtocolError = 1002,
  kWsNoCode = 1005,
  kWsNotText = 1007,
  kWsPolicy = 1008,
  kWsTooLarge = 1009,
};

inline constexpr size_t kMaxWsHeader = 14;      // two bytes, 64-bit length, mask
inline constexpr size_t kMaxWsControl = 125;    // payload of a control frame
inline constexpr size_t kWsMask = 4;            // bytes of a mask
inline constexpr uint8_t kWsFin = 0x80;         // bits of the first byte
inline constexpr uint8_t kWsCompressed = 0x40;  // RSV1, of permessage-deflate

// Size of the header of a frame with a payload of `size` bytes.
inline size_t WsHeaderSize(uint64_t size, bool masked) {
  return (size < 126 ? 2 : size <= 0xffff ? 4 : 10) + (masked ? kWsMask : 0);
}

// Writes the header of an unfragmented frame and returns its end. `mask`: four bytes, or null for an unmasked frame.
// `bits` are set in the first byte in addition to FIN and the opcode.
uint8_t* PackWsHeader(uint8_t* out, WsOpcode opcode, uint64_t size, const uint8_t* mask, uint8_t bits = 0);

// Applies a mask to `size` bytes: to[i] = from[i] ^ mask[(phase + i) % 4]. `to` is `from` or lies before it; the runs
// may overlap.
void ApplyWsMask(uint8_t* to, const uint8_t* from, size_t size, const uint8_t* mask, size_t phase = 0);

// Writes a whole control frame and returns its end. Requires room for kMaxWsHeader bytes and the payload, and at most
// kMaxWsControl bytes of it.
uint8_t* PackWsControl(uint8_t* out, WsOpcode opcode, Bytes payload, const uint8_t* mask);

// Writes a close frame without reason; one without code for kWsNoCode.
uint8_t* PackWsClose(uint8_t* out, uint16_t code, const uint8_t* mask);

// Returns whether a peer may send a close frame with this code (RFC 6455 §7.4, and the registry up to 1014).
inline bool IsWsCloseCode(uint32_t code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace dmicro
