#pragma once

#include <cstdint>

#include "options.h"
#include "run.h"
#include "server_cpu.h"

namespace dmicro_bench {

// The window after the warm-up: what the clocks and the CPU counters said at its two ends.
class Measurement {
 public:
  explicit Measurement(const Options& options) : options_(options), server_(options.server_pids) {}

  void Begin();
  void End();

  // Once every call is answered: one JSON line on stdout, and one for people on stderr unless --json was given. Ends
  // the program when there was no call to report.
  void Print(const Run& run) const;

  // For the messages of a failing run: says so when the server has gone.
  const char* ServerFate() const { return server_.Ended() ? "; its process has ended" : ""; }

 private:
  struct Reading {
    uint64_t time, own_cpu;
    ServerCpu::Reading server;
  };
  Reading Read() const;

  const Options& options_;
  ServerCpu server_;
  Reading begin_{};
  Reading end_{};
};

}  // namespace dmicro_bench
