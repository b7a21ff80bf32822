#pragma once

#include "clients.h"
#include "measurement.h"
#include "options.h"
#include "run.h"

namespace dmicro_bench {

// Every connection keeps its number of calls in flight: a reply is followed by the next call at once.
class ClosedLoop {
 public:
  ClosedLoop(const Options& options, Run* run, Measurement* measurement)
      : options_(options), run_(run), measurement_(measurement), clients_(options, run, *measurement) {}

  // Warm-up, measured window, then until every call is answered.
  void Execute();

 private:
  enum class Phase { kWarmUp, kWindow, kDrain };

  void OnTimer();

  const Options& options_;
  Run* run_;
  Measurement* measurement_;
  Phase phase_ = Phase::kWarmUp;
  Clients clients_;
};

}  // namespace dmicro_bench
