#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

namespace dmicro_bench {

struct ThreadCpu {
  std::string name;
  uint64_t nanoseconds;
};

// By thread id.
using ThreadCpus = std::map<pid_t, ThreadCpu>;

// Adds what every thread of the process has used since its start.
void ReadThreads(pid_t process, ThreadCpus* threads);

// What was used between two readings, threads of one name added up; those that used nothing are left out, as are those
// that ended in between.
std::map<std::string, uint64_t> UsedByName(const ThreadCpus& before, const ThreadCpus& after);

}  // namespace dmicro_bench
