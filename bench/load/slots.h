#pragma once

#include <bit>
#include <cstdint>
#include <memory>

namespace dmicro_bench {

// The outstanding calls of one connection. The low bits of a seq name its slot, so that finding a call is one
// index, in whichever order replies come; the next call in a slot has the next seq with the same low bits. With
// replies in order and a power of two in flight, seqs count 1, 2, 3 like an ordinary client's.
class Slots {
 public:
  explicit Slots(uint32_t count)
      : count_(count), stride_(std::bit_ceil(count)), slots_(std::make_unique<Slot[]>(count)) {}

  uint32_t Count() const { return count_; }

  // The seq of a new call in the slot, outstanding from now on and timed from `since`.
  int32_t Open(uint32_t slot, uint64_t since) {
    uint32_t seq = slots_[slot].last_seq + stride_;
    if (slots_[slot].last_seq == 0) seq = slot == 0 ? stride_ : slot;
    if (seq > INT32_MAX) seq = slot == 0 ? stride_ : slot;  // wrapped: 0 and negative seqs stay unused
    slots_[slot] = {since, seq, true};
    return static_cast<int32_t>(seq);
  }

  // The slot of a seq, or kNone when no such call is outstanding.
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t Find(int32_t seq) const {
    const uint32_t slot = static_cast<uint32_t>(seq) & (stride_ - 1);
    if (slot >= count_ || !slots_[slot].open || slots_[slot].last_seq != static_cast<uint32_t>(seq)) return kNone;
    return slot;
  }

  // Returns what the call is timed from.
  uint64_t Close(uint32_t slot) {
    slots_[slot].open = false;
    return slots_[slot].since;
  }

 private:
  struct Slot {
    uint64_t since = 0;
    uint32_t last_seq = 0;
    bool open = false;
  };

  uint32_t count_;
  uint32_t stride_;
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace dmicro_bench
