#pragma once

#include "wire/bytes.h"
#include "wire/close_reason.h"
#include "wire/framing.h"

namespace dmicro {

// The raw protocol (docs/spec/wire.md, Frame): u32 total, u8 version, u8 n, n filter ids, then seq, type, method,
// status, meta, codec, body. Unpack and Pack are mirror images; both are plain functions over bytes.

inline constexpr size_t kPrefixSize = 6;  // total, version, filter count
inline constexpr size_t kMinFrame = 15;   // prefix, one digit of seq, type, three empty fields, codec
inline constexpr uint8_t kRawVersion = 1;
inline constexpr uint8_t kTypeUnparsed = 0;  // never on the wire: bytes not parsed, such as a frame with filters
inline constexpr uint8_t kTypeCall = 1;
inline constexpr uint8_t kTypeReply = 2;
inline constexpr uint8_t kTypePush = 3;
inline constexpr uint8_t kTypeLast = 5;  // AUTH_REPLY: legal before a session runs, which the upper layer checks
inline constexpr size_t kMaxMethod = 0xff;
inline constexpr size_t kMaxStatus = 0xffff;
inline constexpr size_t kMaxMeta = 0xffff;

// One message. All runs point into the frame that was unpacked, or at the bytes to pack. With type kTypeUnparsed only
// `body` has a meaning.
struct RawMessage {
  int32_t seq = 0;
  uint8_t type = 0;
  uint8_t codec = 0;
  Bytes method;
  Bytes status;  // empty when OK
  Bytes meta;    // empty when {}
  Bytes body;
};

enum class Parse : uint8_t { kDone, kMore, kBad };

// Checks the first bytes of a frame as early as possible: four bytes decide on the length, five on the version, six on
// the number of filters. kDone: all six are good and *total is the size of the frame. kMore: the bytes are good so far
// (*total is 0 below four bytes).
Parse CheckPrefix(Bytes bytes, const FrameLimits& limits, uint32_t* total, CloseReason* reason);

// Parses one whole frame, or leaves it unparsed when it has filters. Requires a prefix that CheckPrefix accepted.
// Returns false with *reason when a field is bad.
bool UnpackRaw(Bytes frame, RawMessage* message, CloseReason* reason);

// Size of the packed frame of `message`.
size_t PackedSize(const RawMessage& message);

// Upper bound of PackedSize less the body, at most six bytes too large: the room to reserve for PackHeader. Cheaper
// than PackedSize.
size_t HeaderBound(const RawMessage& message);

// Writes the frame without its body to `out` and returns the end. Requires room for PackedSize less the body, and sizes
// within kMaxMethod, kMaxStatus, kMaxMeta and the message limit.
uint8_t* PackHeader(uint8_t* out, const RawMessage& message);

}  // namespace dmicro
