#pragma once

#include <cstddef>

#include "options.h"

namespace dmicro_bench {

// A REPLY may carry meta and a status of its own, but nothing near this much.
inline constexpr size_t kReplySlack = 128 * 1024;

inline size_t MaxReply(const Options& options) { return options.body_bytes + kReplySlack; }

}  // namespace dmicro_bench
