#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dmicro_bench {

// A PUSH frame with a JSON body (docs/spec/wire.md#frame), byte for byte as a dmicro server writes it.
std::string PushFrame(int32_t seq, std::string_view method, std::string_view body);

}  // namespace dmicro_bench
