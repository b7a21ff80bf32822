#pragma once

#include <cstdint>

namespace dmicro {

// Reasons why a connection ended. The numbers cross into JavaScript; src/message/close-reason.ts has the same table and
// the loader compares the two.
enum class CloseReason : uint8_t {
  kLocal,
  kPeer,
  kIo,
  kFrameTimeout,
  kWriteTimeout,
  kUnsent,
  kTooShort,
  kTooLarge,
  kVersion,
  kFilterCount,
  kFilter,
  kSeq,
  kType,
  kOverrun,
  kMeta,
  kStatus,
  kRefused,
  kFilterFailed,
  kProtocol,
  kMalformed,
  kFilterMissing,
  kHook,
};

inline constexpr const char* kCloseReasonText[] = {
    "closed by this side",
    "closed by the peer",
    "connection error",
    "frame not completed in time",
    "peer does not read",
    "unsent bytes over the limit",
    "frame shorter than its header",
    "frame larger than the limit",
    "unknown protocol version",
    "too many transfer filters",
    "unknown transfer filter",
    "bad sequence number",
    "unknown message type",
    "field runs past the end of its frame",
    "unreadable meta",
    "unreadable status",
    "too many sessions",
    "bytes that a transfer filter refused",
    "bytes of no protocol, or of several, that is offered here",
    "bytes that are not the protocol",
    "message without a required transfer filter",
    "refused by a plugin",
};

}  // namespace dmicro
