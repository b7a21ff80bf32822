#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/output_queue.h"

namespace dmicro_bench {

// Append a REPLY frame (docs/spec/wire.md#vectors, RAW-2 and RAW-3).
void AppendReply(int32_t seq, uint8_t codec, std::string_view body, OutputQueue* output);
void AppendNotFound(int32_t seq, OutputQueue* output);

}  // namespace dmicro_bench
