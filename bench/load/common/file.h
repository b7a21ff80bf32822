#pragma once

#include <string>

namespace dmicro_bench {

// All bytes of a file. Ends the program when it cannot be read, or is empty.
std::string ReadBytes(const std::string& path);

}  // namespace dmicro_bench
