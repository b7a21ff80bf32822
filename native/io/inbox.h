#pragma once

#include <deque>

#include "io/ring_layout.h"
#include "wire/check.h"
#include "wire/framer.h"

namespace dmicro {

// What goes up: arena that sockets are read into and the records that describe it, one lane at a time. While the upper
// layer reads a lane the next is written, so events that its own calls cause never overwrite what it is reading.
class Inbox {
 public:
  Inbox(const Rings& rings, const Lane& lane) : rings_(rings), lane_(lane), used_(lane.arena_start) {
    DMICRO_ASSERT(lane.arena_end % 8 == 0 && lane.arena_end - lane.arena_start > kMinFree && lane.max_records != 0);
  }

  // Free arena, to read into. At least kMinFree in a fresh lane.
  Framer::Space Free() const { return {rings_.inbox + used_, lane_.arena_end - used_}; }
  static constexpr uint32_t kMinFree = 64 * 1024;
  // A frame put together elsewhere is worth moving into the lane up to this size.
  uint32_t MaxInline() const { return (lane_.arena_end - lane_.arena_start) / 4; }

  void Use(size_t bytes) {
    DMICRO_ASSERT(bytes <= lane_.arena_end - used_);
    used_ = static_cast<uint32_t>((used_ + bytes + 7) & ~size_t{7});
  }
  bool Low() const { return used_ > lane_.arena_end - kMinFree; }
  bool Full() const { return count_ == lane_.max_records; }
  bool Empty() const { return count_ == 0 && overflow_.empty(); }
  uint32_t FreeRecords() const { return lane_.max_records - count_; }

  // Room for one more record; in a full lane it goes to memory of its own and joins the next batch.
  Record* Add();

  // Ends the lane being written and goes on in `next`, behind the bytes in use when that has the same arena.
  Batch Flip(const Lane& next);
  // The bytes in use were read.
  void Clear() { used_ = lane_.arena_start; }

 private:
  const Rings rings_;
  Lane lane_;
  uint32_t used_;
  uint32_t count_ = 0;
  std::deque<Record> overflow_;
};

}  // namespace dmicro
