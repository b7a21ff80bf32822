#pragma once

#include <cstddef>
#include <cstdint>

namespace dmicro {

// Memory that the reactor and JavaScript share. All words are int32; offsets count from the start of the arena.
// src/transports/native/ring-layout.ts repeats this layout; the addon exports it (node/layout.cc) and the loader
// compares the two.

inline constexpr uint32_t kInboxSize = 1024 * 1024;   // arena that sockets are read into
inline constexpr uint32_t kOutboxSize = 1024 * 1024;  // arena that JavaScript encodes bodies into
inline constexpr uint32_t kMaxRecords = 4096;         // maximum of one batch
inline constexpr uint32_t kMaxSends = 4096;
inline constexpr uint32_t kMaxSlots = 1 << 20;   // maximum number of connections of one reactor
inline constexpr uint32_t kMaxBody = INT32_MAX;  // maximum bytes of a body outside of the outbox

// One event for the upper layer: 16 words, a cache line.
struct Record {
  int32_t slot;
  int32_t generation;
  int32_t kind;
  int32_t seq;    // kAccept: the listener's token; kClose: CloseReason
  int32_t route;  // interned service method or -1; kClose: errno
  int32_t bits;   // type | codec << 8 | TextHint << kHintShift; kTypeUnparsed: the body is all bytes
                  // kLayer: kind of the event, whose payload is the body; kClose: Layer::Error
  int32_t body_start, body_end;
  int32_t meta_start, meta_end;  // kAccept, kConnect: the local address
  int32_t status_start, status_end;
  int32_t name_start, name_end;  // kAccept, kConnect: the remote address
  int32_t large;                 // index of the large message that the offsets point into, or -1 for the inbox
  int32_t spare;
};
static_assert(sizeof(Record) == 64);

// kWritable: a connection with too many unsent replies has sent enough of them; the upper layer may start requests
// again. kLayer: a layer below the framing has news.
enum RecordKind : int32_t { kMessage, kAccept, kConnect, kClose, kWritable, kLayer };
inline constexpr int32_t kHintShift = 16;
// Bit of Send::bits for type kTypeUnparsed: the bytes are a reply.
inline constexpr int32_t kAnswerBit = 1 << 8;
// Bit of Send::bits for other types: the body is `"`, UTF-8 of a text, `"`, and the reactor escapes what JSON escapes.
inline constexpr int32_t kQuoteBit = 1 << 16;
// Maximum size of such a text in bytes. With every byte escaped the body is still copied behind its header.
inline constexpr uint32_t kMaxUnescaped = 680;

// One message to send.
struct Send {
  int32_t slot;
  int32_t generation;
  int32_t bits;  // type | codec << 8 | kQuoteBit; kTypeUnparsed: the body is packed already, and kAnswerBit marks a
                 // reply
  int32_t seq;
  int32_t route;  // interned service method, or -1: the name is in the arena
  int32_t body_start, body_size;
  int32_t meta_start, meta_size;
  int32_t status_start, status_size;
  int32_t name_start, name_size;
  int32_t spare[3];
};
static_assert(sizeof(Send) == 64);

// Words through which both sides agree on the state of the rings. The outbox and its sends have one current lane
// (io_thread.h has several), which begins at the two bases.
struct Control {
  int32_t send_base;
  int32_t send_next;  // written by JavaScript, reset when the lane is drained
  int32_t outbox_base;
  int32_t outbox_next;  // written by JavaScript, reset when the lane is drained
  int32_t first;        // first record of the batch being delivered
  int32_t count;        // number of records in that batch
  int32_t generation;   // generation of the connection that the last dial created
};

// The part of the inbox and of the records that one batch fills.
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
  // Words by slot. The reactor's thread alone writes them, with StoreWord. JavaScript reads them on its own thread with
  // plain loads: a plain load of an aligned int32 is one load instruction, as a relaxed load is here. Atomics.load
  // would be a call of about 12 ns for every message.
  int32_t* unsent;    // bytes the peer has not taken
  int32_t* replies;   // unsent bytes that are replies
  int32_t* activity;  // counter that changes when the peer has sent bytes or taken buffered ones
};

// Access to a word that several threads read.
inline void StoreWord(int32_t* word, int32_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
inline int32_t LoadWord(const int32_t* word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

}  // namespace dmicro
