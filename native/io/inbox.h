#pragma once

#include <vector>

#include "io/ring_layout.h"
#include "wire/framer.h"

namespace dmicro {

// What goes up: the arena sockets are read into and the records that describe it. Records are written to one half of
// their ring while the upper layer reads the other, so events that its own calls cause never overwrite what it is
// reading.
class Inbox {
 public:
  explicit Inbox(const Rings& rings) : rings_(rings) {}

  // Free arena, to read into. At least kMinFree after each batch.
  Framer::Space Free() const { return {rings_.inbox + used_, kInboxSize - used_}; }
  static constexpr uint32_t kMinFree = 64 * 1024;

  void Use(size_t bytes) { used_ = static_cast<uint32_t>((used_ + bytes + 7) & ~size_t{7}); }
  bool Low() const { return used_ > kInboxSize - kMinFree; }
  bool Full() const { return count_ == kMaxRecords; }
  bool Empty() const { return count_ == 0 && spill_.empty(); }

  // Room for one more record; when the half is full it goes to memory of its own and joins the next batch.
  Record* Add();
  int32_t OffsetOf(const uint8_t* data) const { return static_cast<int32_t>(data - rings_.inbox); }

  // Ends the half being written and makes it the batch named in Control.
  void Flip();
  // The batch was read. `keep_arena`: a read is still being parsed, its bytes must stay.
  void Done(bool keep_arena);

 private:
  const Rings rings_;
  uint32_t used_ = 0;
  uint32_t half_ = 0;
  uint32_t count_ = 0;
  std::vector<Record> spill_;
};

}  // namespace dmicro
