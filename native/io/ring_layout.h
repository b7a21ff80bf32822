#pragma once

#include <cstddef>
#include <cstdint>

namespace dmicro {

// Memory that both sides of the native boundary see (design §4). All words are int32; offsets count from the arena's
// start. src/transports/native/ring-layout.ts repeats all of it; the addon hands it out (node/layout.cc) and the loader
// compares.

inline constexpr uint32_t kInboxSize = 1024 * 1024;   // arena that sockets are read into
inline constexpr uint32_t kOutboxSize = 1024 * 1024;  // arena that JavaScript encodes bodies into
inline constexpr uint32_t kMaxRecords = 4096;         // the most one batch holds
inline constexpr uint32_t kMaxSends = 4096;
inline constexpr uint32_t kMaxSlots = 1 << 20;   // connections of one reactor
inline constexpr uint32_t kMaxBody = INT32_MAX;  // bytes of a body outside of the outbox

// One event for the upper layer: 16 words, a cache line.
struct Record {
  int32_t slot;
  int32_t generation;
  int32_t kind;
  int32_t seq;    // kAccept: the listener's token; kClose: CloseReason
  int32_t route;  // interned service method or -1; kClose: errno
  int32_t bits;   // type | codec << 8 | TextHint << kHintShift; type 0: a frame with filters, which is the body
  int32_t body_start, body_end;
  int32_t meta_start, meta_end;  // kAccept, kConnect: the local address
  int32_t status_start, status_end;
  int32_t name_start, name_end;  // kAccept, kConnect: the remote address
  int32_t large;                 // -1, or which large buffer the offsets point into
  int32_t spare;
};
static_assert(sizeof(Record) == 64);

// kWritable: a connection of which too many replies were unsent may be asked again.
enum RecordKind : int32_t { kMessage, kAccept, kConnect, kClose, kWritable };
inline constexpr int32_t kHintShift = 16;
// Of a Send of type 0: it answers the peer.
inline constexpr int32_t kAnswerBit = 1 << 8;

// One message to send.
struct Send {
  int32_t slot;
  int32_t generation;
  int32_t bits;  // type | codec << 8; type 0: the body is bytes that are ready, and kAnswerBit tells of what kind
  int32_t seq;
  int32_t route;  // interned service method, or -1: the name is in the arena
  int32_t body_start, body_size;
  int32_t meta_start, meta_size;
  int32_t status_start, status_size;
  int32_t name_start, name_size;
  int32_t spare[3];
};
static_assert(sizeof(Send) == 64);

// The words both sides use to talk about the rings. The outbox and its sends are one part of their memory at a time
// (io_thread.h has several), from `base` on.
struct Control {
  int32_t send_base;
  int32_t send_next;  // written by JavaScript, reset when the part is drained
  int32_t outbox_base;
  int32_t outbox_next;  // likewise
  int32_t first;        // the batch being delivered: its first record
  int32_t count;        // and how many
  int32_t generation;   // of the connection the last dial made
};

// What one batch fills: bytes of the inbox and records.
struct Lane {
  uint32_t arena_start, arena_end;
  uint32_t first_record, max_records;
};

struct Batch {
  int32_t first, count;
};

struct Rings {
  uint8_t* inbox;
  Record* records;
  uint8_t* outbox;
  uint32_t outbox_size;
  Send* sends;
  uint32_t max_sends;
  Control* control;
  // By slot. The reactor's thread alone writes them, by StoreWord. JavaScript looks on from its own thread by plain
  // loads: of an aligned int32 that is one load of the machine, as a relaxed one is here; Atomics.load would be a call
  // of some 12 ns for every message.
  int32_t* unsent;    // bytes the peer has not taken
  int32_t* replies;   // those of them that it caused by asking
  int32_t* activity;  // changes when bytes of the peer came, or it took some of those that waited for it
};

// A word that other threads look at.
inline void StoreWord(int32_t* word, int32_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
inline int32_t LoadWord(const int32_t* word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

}  // namespace dmicro
