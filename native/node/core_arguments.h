#pragma once

#include <napi.h>

#include "node/arguments.h"
#include "node/core.h"

namespace dmicro {

// Arguments that several functions of the addon have.

// Returns the core whose number is the first argument; null, with an exception pending, when there is none.
Core* CoreOf(Arguments* arguments, const Napi::CallbackInfo& info);

Framing FramingAt(Arguments* arguments, size_t at);

// Names of the arguments that LimitsAt reads, from `at` on.
inline constexpr char kLimitNames[] =
    "maxMessage, maxFilters, maxUnsent, frameTimeout, writeTimeout, framing, noDelay, keepAliveSeconds, receiveBuffer, "
    "sendBuffer, paused";
WireLimits LimitsAt(Arguments* arguments, size_t at);

// Reads the arguments from `at` on: host | null, port, path | null.
Target TargetAt(Arguments* arguments, size_t at);

}  // namespace dmicro
