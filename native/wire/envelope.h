#pragma once

#include "wire/raw_proto.h"

namespace dmicro {

// The envelope that protocols other than raw share, spec/wire.md §8.2: u32 size that excludes itself, u8 n, n filter
// ids, payload. It is not taken apart here.

inline constexpr size_t kEnvelopePrefix = 5;  // size, filter count

// The same as CheckPrefix for an envelope; *total includes the four bytes of the size.
Parse CheckEnvelope(Bytes bytes, const FrameLimits& limits, uint32_t* total, CloseReason* reason);

// Makes `message` one of bytes that are not taken apart.
void SetUnparsed(Bytes bytes, RawMessage* message);

}  // namespace dmicro
