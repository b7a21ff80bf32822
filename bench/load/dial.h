#pragma once

#include "options.h"

namespace dmicro_bench {

// A blocking socket, connected to where the options say, and upgraded to a WebSocket if they say so. Ends the program
// on failure.
int Dial(const Options& options);

}  // namespace dmicro_bench
