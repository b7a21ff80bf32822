#pragma once

#include <cstddef>
#include <cstdint>

namespace dmicro {

// Memory that both sides of the native boundary see (design §4). All words are int32; offsets count from the arena's
// start. src/transports/native/ring-layout.ts repeats these numbers; the addon hands them out and the loader compares.

inline constexpr uint32_t kInboxSize = 1024 * 1024;   // arena that sockets are read into
inline constexpr uint32_t kOutboxSize = 1024 * 1024;  // arena that JavaScript encodes bodies into
inline constexpr uint32_t kMaxRecords = 4096;         // one half of the record ring: the most one batch holds
inline constexpr uint32_t kMaxSends = 4096;

// One event for the upper layer: 16 words, a cache line.
struct Record {
  int32_t slot;
  int32_t generation;
  int32_t kind;
  int32_t seq;    // kAccept: listener id; kClose: CloseReason; kUnsent: bytes
  int32_t route;  // interned service method or -1; kClose: errno
  int32_t bits;   // type | codec << 8 | TextHint << kHintShift
  int32_t body_start, body_end;
  int32_t meta_start, meta_end;
  int32_t status_start, status_end;
  int32_t name_start, name_end;
  int32_t large;  // -1, or which large buffer the offsets point into
  int32_t spare;
};
static_assert(sizeof(Record) == 64);

enum RecordKind : int32_t { kMessage, kAccept, kConnect, kClose, kUnsent };
inline constexpr int32_t kHintShift = 16;

// One message to send.
struct Send {
  int32_t slot;
  int32_t generation;
  int32_t bits;  // type | codec << 8
  int32_t seq;
  int32_t route;  // interned service method, or -1: the name is in the arena
  int32_t body_start, body_size;
  int32_t meta_start, meta_size;
  int32_t status_start, status_size;
  int32_t name_start, name_size;
  int32_t spare[3];
};
static_assert(sizeof(Send) == 64);

// The words both sides use to talk about the rings.
struct Control {
  int32_t send_count;   // written by JavaScript, reset by Drain
  int32_t outbox_used;  // likewise
  int32_t first;        // the batch being delivered: its first record
  int32_t count;        // and how many
  int32_t generation;   // of the connection the last dial made
};

struct Rings {
  uint8_t* inbox;
  Record* records;  // two halves of kMaxRecords
  uint8_t* outbox;
  Send* sends;
  Control* control;
};

}  // namespace dmicro
