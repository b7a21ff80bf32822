#pragma once

#include <cstdint>
#include <vector>

#include "cpu_time.h"
#include "thread_cpu.h"

namespace dmicro_bench {

// The CPU of all processes that count as the server's.
class ServerCpu {
 public:
  explicit ServerCpu(const std::vector<pid_t>& pids);

  struct Reading {
    uint64_t total = 0;
    uint64_t system = 0;
    ThreadCpus threads;
  };
  Reading Read() const;

  bool Measures() const { return !processes_.empty(); }
  // Whether one of them has ended.
  bool Ended() const;

 private:
  std::vector<ProcessCpu> processes_;
};

}  // namespace dmicro_bench
