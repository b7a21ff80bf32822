#pragma once

#include "connection.h"
#include "measurement.h"
#include "options.h"

namespace dmicro_bench {

// One connection with one call in flight and no epoll: what a round trip costs. With --spin it reads without
// ever sleeping, so that the wake-ups measured are the server's alone.
void ExecutePingPong(const Options& options, Run* run, Measurement* measurement);

}  // namespace dmicro_bench
