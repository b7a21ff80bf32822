#pragma once

#include "wire/bytes.h"
#include "wire/close_reason.h"
#include "wire/framing.h"

namespace dmicro {

// The raw protocol, spec/wire.md §8.1: u32 total, u8 version, u8 n, n filter ids, then seq, type, method, status, meta,
// codec, body. Unpack and Pack are mirror images; both are plain functions over bytes.

inline constexpr size_t kPrefixSize = 6;  // total, version, filter count
inline constexpr size_t kMinFrame = 15;   // prefix, one digit of seq, type, three empty fields, codec
inline constexpr uint8_t kRawVersion = 1;
inline constexpr uint8_t kTypeUnparsed = 0;  // not on the wire: bytes not taken apart, such as a frame with filters
inline constexpr uint8_t kTypeCall = 1;
inline constexpr uint8_t kTypeReply = 2;
inline constexpr uint8_t kTypePush = 3;
inline constexpr uint8_t kTypeLast = 5;  // AUTH_REPLY: legal before a session runs, which the upper layer knows
inline constexpr size_t kMaxMethod = 0xff;
inline constexpr size_t kMaxStatus = 0xffff;
inline constexpr size_t kMaxMeta = 0xffff;

// One message. All runs point into the frame it was unpacked from, or at what Pack shall write. Of type kTypeUnparsed
// only `body` means anything.
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

// Judges the first bytes of a frame as early as they allow: four decide on the length, five on the version, six on the
// number of filters. kDone: all six are good and *total is the frame's size. kMore: good so far (*total is 0 below four
// bytes).
Parse CheckPrefix(Bytes bytes, const FrameLimits& limits, uint32_t* total, CloseReason* reason);

// Takes apart one whole frame whose prefix was checked, unless it has filters. False with *reason when a field is bad.
bool UnpackRaw(Bytes frame, RawMessage* message, CloseReason* reason);

// Size of the frame Pack makes of `message`.
size_t PackedSize(const RawMessage& message);

// The same less the body, or up to six bytes more: what a buffer must have for PackHeader. Cheaper than PackedSize.
size_t HeaderBound(const RawMessage& message);

// Writes all of the frame but its body to `out`, which has room for PackedSize less the body; returns the end.
// The caller has checked kMaxMethod, kMaxStatus, kMaxMeta and its message limit.
uint8_t* PackHeader(uint8_t* out, const RawMessage& message);

}  // namespace dmicro
