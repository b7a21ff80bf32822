#pragma once

#include <algorithm>
#include <cstdint>

namespace dmicro {

// The congestion window of kcp-go: slow start, then growth by fractions of a segment.
class CongestionWindow {
 public:
  explicit CongestionWindow(uint32_t mss) : mss_(mss) {}

  // Segments that may be on their way; 0 before the first flush.
  uint32_t size() const { return size_; }

  // Called when a datagram acknowledged segments in order.
  void Grow(uint32_t peer_window) {
    if (size_ >= peer_window) return;
    if (size_ < threshold_) {
      size_++;
      bytes_ += mss_;
    } else {
      bytes_ = std::max(bytes_, mss_);
      bytes_ += mss_ * mss_ / bytes_ + mss_ / 16;
      if (uint64_t{size_ + 1} * mss_ <= bytes_) size_ = (bytes_ + mss_ - 1) / mss_;
    }
    if (size_ > peer_window) {
      size_ = peer_window;
      bytes_ = peer_window * mss_;
    }
  }

  // Called after a flush in which segments were sent again: `early`, because later ones were acknowledged, or `late`.
  void Flushed(bool early, bool late, uint32_t in_flight, uint32_t window, uint32_t resend) {
    if (early) {
      threshold_ = std::max(in_flight / 2, kMinThreshold);
      size_ = threshold_ + resend;
      bytes_ = size_ * mss_;
    }
    if (late) {
      threshold_ = std::max(window / 2, kMinThreshold);
      size_ = 1;
      bytes_ = mss_;
    }
    if (size_ < 1) {
      size_ = 1;
      bytes_ = mss_;
    }
  }

 private:
  static constexpr uint32_t kMinThreshold = 2;

  const uint32_t mss_;
  uint32_t size_ = 0;
  uint32_t threshold_ = kMinThreshold;
  uint32_t bytes_ = 0;
};

}  // namespace dmicro
