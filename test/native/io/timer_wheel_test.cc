#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "io/timer_wheel.h"

namespace dmicro {
namespace {

TEST_CASE("timers expire at their time, whatever the distance and the steps of the clock") {
  std::mt19937 random(1);
  for (const uint64_t start : {0ull, 255ull, 1'000'003ull}) {
    for (const uint64_t stride : {1ull, 7ull, 300ull, 100'000ull}) {
      CAPTURE(stride);
      TimerWheel wheel(start);
      std::deque<WheelTimer> timers(300);
      std::map<WheelTimer*, uint64_t> pending;
      for (WheelTimer& timer : timers) {
        const uint64_t most = uint64_t{1} << (random() % 20);
        pending[&timer] = start + random() % most;
        wheel.Arm(&timer, pending[&timer]);
      }
      uint64_t before = start == 0 ? 0 : start - 1;
      for (uint64_t now = start; !pending.empty(); now += stride) {
        if (wheel.Next() > now)
          CHECK(std::none_of(pending.begin(), pending.end(), [&](auto& one) { return one.second <= now; }));
        wheel.Expire(now, [&](WheelTimer* timer) {
          CHECK_FALSE(timer->armed());
          CHECK(pending.at(timer) <= now);
          if (now != start) CHECK(pending.at(timer) > before);
          pending.erase(timer);
        });
        before = now;
      }
      CHECK(wheel.Next() == TimerWheel::kNever);
    }
  }
}

TEST_CASE("a timer may be armed again when it expires, and removed before") {
  TimerWheel wheel(10);
  WheelTimer again, removed;
  wheel.Arm(&again, 20);
  wheel.Arm(&removed, 20);
  removed.Linked<Timed>::Unlink();
  int expired = 0;
  const auto due = [&](WheelTimer* timer) {
    CHECK(timer == &again);
    if (++expired < 3) wheel.Arm(timer, 20);  // in the past: due with the next call
  };
  for (uint64_t now = 20; now < 30; now++) wheel.Expire(now, due);
  CHECK(expired == 3);
}

}  // namespace
}  // namespace dmicro
