#pragma once

#include <cstdint>
#include <vector>

#include "clients.h"
#include "measurement.h"
#include "options.h"
#include "run.h"

namespace dmicro_bench {

// Calls at a fixed rate, whatever the server does, timed from when they were due: a stalled server is charged with
// every call it delays, not only with those in flight. Latencies are those of the calls due within the window; one that
// could not be sent by its end, because all that may be were in flight, enters with the time it had waited by then,
// less than the truth.
class OpenLoop {
 public:
  OpenLoop(const Options& options, Run* run, Measurement* measurement)
      : options_(options), run_(run), measurement_(measurement), clients_(options, run, *measurement) {}

  // Warm-up, measured window, then until every call sent is answered.
  void Execute();

 private:
  // Until then, sends calls as they become due.
  void PaceUntil(uint64_t end);
  void SendDue(uint64_t now);
  // The next connection that may have one more call in flight, round robin, gets the call; false when there is none.
  bool TryCall(uint64_t due);
  void CountUnsent(uint64_t end);
  void Drain();

  uint64_t Due(uint64_t call) const {
    return start_ + static_cast<uint64_t>(static_cast<double>(call) * (1e9 / options_.rate));
  }

  const Options& options_;
  Run* run_;
  Measurement* measurement_;
  uint64_t start_ = 0;
  uint64_t next_call_ = 0;
  size_t next_connection_ = 0;
  std::vector<Connection*> unsent_;  // those with a call queued in this turn
  Clients clients_;
};

}  // namespace dmicro_bench
