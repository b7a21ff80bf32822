#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "connection.h"
#include "measurement.h"
#include "options.h"

namespace dmicro_bench {

// Many connections, each with its calls in flight, in one thread. Edge-triggered epoll: level-triggered, the
// kernel polls every socket that was ready once more at the next epoll_wait.
class ClosedLoop {
 public:
  ClosedLoop(const Options& options, Run* run, Measurement* measurement);
  ~ClosedLoop();
  ClosedLoop(const ClosedLoop&) = delete;
  ClosedLoop& operator=(const ClosedLoop&) = delete;

  // Warm-up, measured window, then until every call is answered.
  void Execute();

 private:
  enum class Phase { kWarmUp, kWindow, kDrain };

  void Connect();
  void OnTimer();
  void SetTimer(double seconds);
  void OnReady(Connection* connection, uint32_t events);
  // `watching`: whether EPOLLOUT is being watched, because bytes waited before.
  void SendQueued(Connection* connection, bool watching);
  void Watch(Connection* connection, int operation, bool writable);

  const Options& options_;
  Run* run_;
  Measurement* measurement_;
  Phase phase_ = Phase::kWarmUp;
  int epoll_;
  int timer_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace dmicro_bench
