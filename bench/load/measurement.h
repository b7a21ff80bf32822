#pragma once

#include <cstdint>

#include "cpu_time.h"
#include "histogram.h"
#include "options.h"

namespace dmicro_bench {

// The window after the warm-up: what the clocks and the CPU counters said at its two ends.
class Measurement {
 public:
  explicit Measurement(const Options& options) : options_(options), server_(options.server_pid) {}

  void Begin();
  void End();

  // Once every call is answered: one JSON line on stdout, and one for people on stderr unless --json was given. Ends
  // the program when there was no call to report.
  void Print(const Histogram& latencies) const;

  // For the messages of a failing run: says so when the server's process has gone.
  const char* ServerFate() const { return server_.Ended() ? "; its process has ended" : ""; }

 private:
  struct Reading {
    uint64_t time, server_cpu, own_cpu;
  };
  Reading Read() const;

  const Options& options_;
  ProcessCpu server_;
  Reading begin_{};
  Reading end_{};
};

}  // namespace dmicro_bench
