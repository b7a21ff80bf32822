#include "cpu_time.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "common/fail.h"
#include "common/file.h"

namespace dmicro_bench {
namespace {

uint64_t ToNanoseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_usec) * 1'000;
}

}  // namespace

ProcessCpu::ProcessCpu(pid_t pid) : pid_(pid) {
  const int error = clock_getcpuclockid(pid_, &clock_);
  if (error != 0) Fail("cannot measure server process %d: %s", pid_, strerror(error));
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

uint64_t ProcessCpu::Nanoseconds() const {
  timespec time;
  if (clock_gettime(clock_, &time) != 0) FailGone();
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t ProcessCpu::SystemNanoseconds() const {
  const std::string stat = ReadBytes("/proc/" + std::to_string(pid_) + "/stat");
  // stime is the 13th field after the process's name, which may itself hold blanks and brackets.
  const size_t name_end = stat.rfind(')');
  unsigned long long ticks;
  if (name_end == std::string::npos ||
      sscanf(stat.c_str() + name_end + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &ticks) != 1) {
    FailGone();
  }
  return ticks * 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
}

bool ProcessCpu::Ended() const {
  constexpr int wait_ms = 200;
  pollfd ended{pidfd_, POLLIN, 0};
  return pidfd_ >= 0 && poll(&ended, 1, wait_ms) > 0;
}

void ProcessCpu::FailGone() const { Fail("server process %d is gone", pid_); }

uint64_t OwnCpuNanoseconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return ToNanoseconds(usage.ru_utime) + ToNanoseconds(usage.ru_stime);
}

}  // namespace dmicro_bench
