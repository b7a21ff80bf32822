#pragma once

#include <cstddef>
#include <string>

namespace dmicro_bench {

// The lines of standard input.
class Commands {
 public:
  // Reads what is there and returns how many `round` lines it completed. Ends the program: with 0 at the end of the
  // input, with 1 on any other line.
  size_t ReadRounds();

 private:
  std::string line_;  // begun
};

}  // namespace dmicro_bench
