#pragma once

#include <cstdint>
#include <vector>

namespace dmicro_bench {

// The seqs of the calls in flight in the order they were sent, for replies that do not name theirs. Where all name it,
// nothing is taken and the oldest are written over.
class SendOrder {
 public:
  explicit SendOrder(uint32_t in_flight) : seqs_(in_flight) {}

  void Add(int32_t seq) { seqs_[added_++ % seqs_.size()] = seq; }
  int32_t Take() { return seqs_[taken_++ % seqs_.size()]; }

 private:
  std::vector<int32_t> seqs_;
  uint64_t added_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace dmicro_bench
