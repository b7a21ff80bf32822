#pragma once

#include <array>
#include <cstdint>

#include "io/list.h"

namespace dmicro {

struct Timed;

// Something that is due at a time, in a TimerWheel.
class WheelTimer : public Linked<Timed> {
 public:
  bool armed() const { return Linked<Timed>::linked(); }
  uint64_t at() const { return at_; }

 private:
  friend class TimerWheel;
  uint64_t at_ = 0;  // ms
};

// Timers by the millisecond at which they are due: setting and removing one takes constant time, however many there
// are. Two circles of slots: of one millisecond, and of one turn of the first.
class TimerWheel {
 public:
  static constexpr uint64_t kNever = UINT64_MAX;

  explicit TimerWheel(uint64_t now) : now_(now) {}

  // Requires that the timer is not armed. A time in the past is due with the next Expire.
  void Arm(WheelTimer* timer, uint64_t at) {
    timer->at_ = at;
    Place(timer);
  }

  // Calls `due` with each timer that is due at `now`, which is not armed then and may be armed again.
  template <typename F>
  void Expire(uint64_t now, F&& due) {
    Slot expired;
    while (now_ <= now) {
      const uint64_t next = Next();
      if (next > now) {
        Advance(now + 1);
        break;
      }
      Advance(next);
      while (WheelTimer* const timer = fine_[next % kSlots].Pop()) expired.Append(timer);
      Advance(next + 1);
    }
    while (WheelTimer* const timer = expired.Pop()) due(timer);
  }

  // When the next timer is due, or must be looked at.
  uint64_t Next() {
    const uint64_t end = (now_ / kSlots + 1) * kSlots;
    for (uint64_t at = now_; at < end; at++) {
      if (!fine_[at % kSlots].Empty()) return at;
    }
    for (uint64_t block = now_ / kSlots + 1; block < now_ / kSlots + kSlots; block++) {
      if (!coarse_[block % kSlots].Empty()) return block * kSlots;
    }
    return kNever;
  }

 private:
  using Slot = List<WheelTimer, Timed>;
  static constexpr uint64_t kSlots = 256;

  // Requires that no timer is due before `to`, and that none is in a block between.
  void Advance(uint64_t to) {
    now_ = to;
    if (to % kSlots == 0) Spread(to);
  }
  void Place(WheelTimer* timer) {
    const uint64_t at = timer->at_ < now_ ? now_ : timer->at_;
    const uint64_t block = at / kSlots, current = now_ / kSlots;
    if (block == current) {
      fine_[at % kSlots].Append(timer);
    } else {
      // A timer that is too far away is looked at once more on the way.
      const uint64_t farthest = current + kSlots - 1;
      coarse_[(block < farthest ? block : farthest) % kSlots].Append(timer);
    }
  }
  // Spreads the timers of the block that begins at `start`.
  void Spread(uint64_t start) {
    Slot block;
    block.TakeAll(coarse_[start / kSlots % kSlots]);
    while (WheelTimer* const timer = block.Pop()) Place(timer);
  }

  uint64_t now_;  // everything before this has expired
  std::array<Slot, kSlots> fine_, coarse_;
};

}  // namespace dmicro
