#pragma once

#include "measurement.h"
#include "options.h"
#include "run.h"

namespace dmicro_bench {

// Connections that are made, shake hands, and are ended in order, so many at a time and again and again. One counts
// when the server has answered the end, and so is through with the handshake too. Tickets are taken once: not every
// server sends another for a session that was resumed.
void ExecuteHandshakes(const Options& options, Run* run, Measurement* measurement);

}  // namespace dmicro_bench
