#pragma once

#include "common/fail.h"
#include "measurement.h"
#include "run.h"

namespace dmicro_bench {

// How long the calls outstanding at the end of the window may take; one that never comes is a fault.
inline constexpr double kDrainSeconds = 5;

[[noreturn]] inline void FailUndrained(const Run& run, const Measurement& measurement) {
  Fail("%llu calls were not answered within %.0f s after the last was sent%s",
       static_cast<unsigned long long>(run.outstanding), kDrainSeconds, measurement.ServerFate());
}

}  // namespace dmicro_bench
