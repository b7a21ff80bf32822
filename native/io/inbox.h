#pragma once

#include <deque>

#include "io/ring_layout.h"
#include "wire/check.h"
#include "wire/framer.h"

namespace dmicro {

// The batch that is being filled: the arena that sockets are read into and the records that describe it, one lane at a
// time. While the upper layer reads one lane the next is filled, so events that its own calls cause never overwrite
// what it is reading.
class Inbox {
 public:
  Inbox(const Rings& rings, const Lane& lane) : rings_(rings), lane_(lane), used_(lane.arena_start) {
    DMICRO_ASSERT(lane.arena_end % 8 == 0 && lane.arena_end - lane.arena_start > kMinFree && lane.max_records != 0);
  }

  // Free part of the arena; at least kMinFree bytes in a fresh lane.
  Framer::Space Free() const { return {rings_.inbox + used_, lane_.arena_end - used_}; }
  static constexpr uint32_t kMinFree = 64 * 1024;
  // Maximum size of a frame that is copied into the lane when it was completed elsewhere. A larger frame stays in
  // memory of its own.
  uint32_t MaxInline() const { return (lane_.arena_end - lane_.arena_start) / 4; }

  void Use(size_t bytes) {
    DMICRO_ASSERT(bytes <= lane_.arena_end - used_);
    used_ = static_cast<uint32_t>((used_ + bytes + 7) & ~size_t{7});
  }
  bool Low() const { return used_ > lane_.arena_end - kMinFree; }
  bool Full() const { return count_ == lane_.max_records; }
  bool Empty() const { return count_ == 0 && overflow_.empty(); }
  uint32_t FreeRecords() const { return lane_.max_records - count_; }

  // Appends a record. When the lane is full the record is kept outside of it and moves into the next batch.
  Record* Add();

  // Finishes the lane and continues in `next`. When `next` has the same arena, the bytes in use stay in use.
  Batch Flip(const Lane& next);
  // Frees the arena. Requires that its bytes have been read.
  void Clear() { used_ = lane_.arena_start; }

 private:
  const Rings rings_;
  Lane lane_;
  uint32_t used_;
  uint32_t count_ = 0;
  std::deque<Record> overflow_;
};

}  // namespace dmicro
