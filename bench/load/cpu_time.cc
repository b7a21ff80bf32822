#include "cpu_time.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fail.h"

namespace dmicro_bench {
namespace {

uint64_t ToNanoseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_usec) * 1'000;
}

}  // namespace

ProcessCpu::ProcessCpu(pid_t pid) : pid_(pid) {
  if (pid_ == 0) return;
  const int error = clock_getcpuclockid(pid_, &clock_);
  if (error != 0) Fail("cannot measure server process %d: %s", pid_, strerror(error));
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

uint64_t ProcessCpu::Nanoseconds() const {
  if (!Measures()) return 0;
  timespec time;
  if (clock_gettime(clock_, &time) != 0) Fail("server process %d is gone", pid_);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

bool ProcessCpu::Ended() const {
  constexpr int wait_ms = 200;
  pollfd ended{pidfd_, POLLIN, 0};
  return pidfd_ >= 0 && poll(&ended, 1, wait_ms) > 0;
}

uint64_t OwnCpuNanoseconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return ToNanoseconds(usage.ru_utime) + ToNanoseconds(usage.ru_stime);
}

}  // namespace dmicro_bench
