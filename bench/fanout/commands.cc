#include "commands.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/fail.h"

namespace dmicro_bench {

size_t Commands::ReadRounds() {
  char bytes[256];
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count <= 0) exit(0);
  line_.append(bytes, static_cast<size_t>(count));
  size_t rounds = 0;
  for (size_t end; (end = line_.find('\n')) != std::string::npos; line_.erase(0, end + 1)) {
    if (line_.substr(0, end) != "round") Fail("unknown command '%s'; known: round", line_.substr(0, end).c_str());
    rounds++;
  }
  return rounds;
}

}  // namespace dmicro_bench
