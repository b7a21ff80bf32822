#pragma once

#include <cstdint>
#include <span>

#include "histogram.h"
#include "protocol.h"

namespace dmicro_bench {

class TlsContext;

// What the connections of a run share.
struct Run {
  const Protocol& protocol;
  TlsContext* tls = nullptr;  // absent: clear text
  std::span<char> scratch;
  // Calls follow a schedule, not each other's replies, and are timed from when they were due.
  bool open_loop = false;
  Histogram latencies;
  uint64_t window_begin = UINT64_MAX;  // open loop: calls due before it are not among the latencies
  uint64_t answered = 0;               // within the window
  uint64_t unsent = 0;                 // open loop: due within the window, not sent by its end
  uint64_t outstanding = 0;
  bool draining = false;  // after the window: no new calls, but those outstanding must still be answered

  void BeginWindow(uint64_t begin) {
    window_begin = begin;
    latencies.Reset();
    answered = 0;
  }
};

}  // namespace dmicro_bench
