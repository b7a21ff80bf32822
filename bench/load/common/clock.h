#pragma once

#include <time.h>

#include <cstdint>

namespace dmicro_bench {

inline uint64_t ReadClock(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// Nanoseconds since some fixed moment.
inline uint64_t Now() { return ReadClock(CLOCK_MONOTONIC); }

inline uint64_t Nanoseconds(double seconds) { return static_cast<uint64_t>(seconds * 1e9); }

}  // namespace dmicro_bench
