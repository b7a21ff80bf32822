#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>

namespace dmicro_bench {

// CPU time that another process has used with all its threads. User and system together come from that process's CPU
// clock: in nanoseconds, up to date for a thread that is running just now, and including threads that have ended, none
// of which holds for /proc/PID/stat (ticks of 10 ms) or /proc/PID/task/*/schedstat.
class ProcessCpu {
 public:
  // Ends the program when there is no such process.
  explicit ProcessCpu(pid_t pid);

  pid_t Pid() const { return pid_; }
  // Both end the program when the process has gone.
  uint64_t Nanoseconds() const;
  // The part spent in the kernel, in ticks of 10 ms.
  uint64_t SystemNanoseconds() const;
  // Waits a moment: a dying process closes its sockets before it has ended.
  bool Ended() const;

 private:
  [[noreturn]] void FailGone() const;

  pid_t pid_;
  int pidfd_;
  clockid_t clock_;
};

// The same of this process.
uint64_t OwnCpuNanoseconds();

}  // namespace dmicro_bench
