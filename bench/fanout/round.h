#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dmicro_bench {

// One delivery of the payload to every connection, and when each had it, by CLOCK_MONOTONIC.
class Round {
 public:
  explicit Round(size_t connections) : connections_(connections) { times_.reserve(connections); }

  // 0 before the first.
  uint64_t Number() const { return number_; }
  bool Armed() const { return armed_; }
  size_t Delivered() const { return times_.size(); }

  // Says so on stdout; from then on deliveries count.
  void Arm();
  // The last one ends the round and prints its times.
  void Deliver(uint64_t now);

 private:
  size_t connections_;
  uint64_t number_ = 0;
  bool armed_ = false;
  std::vector<uint64_t> times_;  // ascending
};

}  // namespace dmicro_bench
