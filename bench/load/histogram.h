#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dmicro_bench {

// Latencies in nanoseconds, in 64 linear steps per power of two: a percentile is off by less than 0.8 %.
// All memory is here from the start.
class Histogram {
 public:
  void Record(uint64_t nanoseconds) {
    buckets_[Index(nanoseconds)]++;
    if (nanoseconds > largest_) largest_ = nanoseconds;
  }
  void Reset() {
    buckets_.fill(0);
    largest_ = 0;
  }

  uint64_t Count() const {
    uint64_t count = 0;
    for (const uint64_t bucket : buckets_) count += bucket;
    return count;
  }

  // Exact.
  uint64_t Largest() const { return largest_; }

  // The middle of the bucket in which the given share (0 to 1) of all latencies is reached, but not above the largest
  // of them; 0 when empty.
  double Percentile(double share) const {
    const double wanted = share * static_cast<double>(Count());
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); i++) {
      seen += buckets_[i];
      if (buckets_[i] != 0 && static_cast<double>(seen) >= wanted)
        return std::min(Middle(i), static_cast<double>(largest_));
    }
    return 0;
  }

 private:
  static constexpr unsigned kStepBits = 6;
  static constexpr uint64_t kSteps = 1 << kStepBits;
  static constexpr unsigned kPowers = 42;  // up to 73 minutes
  static constexpr uint64_t kLargest = (uint64_t{1} << kPowers) - 1;

  static size_t Index(uint64_t value) {
    if (value < kSteps) return value;
    if (value > kLargest) value = kLargest;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
    return shift * kSteps + (value >> shift);
  }

  static double Middle(size_t index) {
    if (index < 2 * kSteps) return static_cast<double>(index);
    const uint64_t shift = index / kSteps - 1;
    const uint64_t low = (index - shift * kSteps) << shift;
    return static_cast<double>(low) + static_cast<double>(uint64_t{1} << shift) / 2;
  }

  std::array<uint64_t, (kPowers - kStepBits + 1) * kSteps> buckets_{};
  uint64_t largest_ = 0;
};

}  // namespace dmicro_bench
