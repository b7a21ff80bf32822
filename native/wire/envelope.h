#pragma once

#include "wire/raw_proto.h"

namespace dmicro {

// The envelope that protocols other than raw share (docs/spec/wire.md, Envelope): u32 size that excludes itself, u8 n,
// n filter ids, payload. The payload is not parsed here.

inline constexpr size_t kEnvelopePrefix = 5;  // size, filter count

// Checks the first bytes of an envelope, as CheckPrefix does those of a raw frame; *total includes the four bytes of
// the size. Requires limits.max_message <= INT32_MAX.
Parse CheckEnvelope(Bytes bytes, const FrameLimits& limits, uint32_t* total, CloseReason* reason);

// Makes `message` one of type kTypeUnparsed whose body is `bytes`.
void SetUnparsed(Bytes bytes, RawMessage* message);

}  // namespace dmicro
