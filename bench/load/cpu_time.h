#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>

namespace dmicro_bench {

// CPU time, user and system, that another process has used with all its threads. It reads that process's CPU
// clock: in nanoseconds, up to date for a thread that is running just now, and including threads that have
// ended, none of which holds for /proc/PID/stat (ticks of 10 ms) or /proc/PID/task/*/schedstat.
class ProcessCpu {
 public:
  // `pid` 0 measures nothing. Ends the program when there is no such process.
  explicit ProcessCpu(pid_t pid);

  bool Measures() const { return pid_ != 0; }
  // Ends the program when the process has gone.
  uint64_t Nanoseconds() const;
  // Waits a moment: a dying process closes its sockets before it has ended. False when it is not measured.
  bool Ended() const;

 private:
  pid_t pid_;
  int pidfd_ = -1;
  clockid_t clock_ = 0;
};

// The same of this process.
uint64_t OwnCpuNanoseconds();

}  // namespace dmicro_bench
