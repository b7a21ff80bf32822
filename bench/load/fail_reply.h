#pragma once

#include <cstdint>
#include <string_view>

namespace dmicro_bench {

// Ends the program: which connection, what is wrong, and the start of the bytes.
[[noreturn, gnu::cold]] void FailReply(uint32_t connection, const char* problem, std::string_view bytes);

}  // namespace dmicro_bench
