#include "server_cpu.h"

namespace dmicro_bench {

ServerCpu::ServerCpu(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) processes_.emplace_back(pid);
}

ServerCpu::Reading ServerCpu::Read() const {
  Reading reading;
  for (const ProcessCpu& process : processes_) {
    reading.total += process.Nanoseconds();
    reading.system += process.SystemNanoseconds();
    ReadThreads(process.Pid(), &reading.threads);
  }
  return reading;
}

bool ServerCpu::Ended() const {
  for (const ProcessCpu& process : processes_) {
    if (process.Ended()) return true;
  }
  return false;
}

}  // namespace dmicro_bench
