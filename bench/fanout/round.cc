#include "round.h"

#include <inttypes.h>
#include <stdio.h>

namespace dmicro_bench {

void Round::Arm() {
  number_++;
  armed_ = true;
  times_.clear();
  printf("{\"armed\":%" PRIu64 "}\n", number_);
  fflush(stdout);
}

void Round::Deliver(uint64_t now) {
  times_.push_back(now);
  if (times_.size() < connections_) return;
  armed_ = false;
  // Text, because they are more than a JavaScript number can hold.
  printf("{\"round\":%" PRIu64 ",\"first_ns\":\"%" PRIu64 "\",\"median_ns\":\"%" PRIu64 "\",\"last_ns\":\"%" PRIu64
         "\"}\n",
         number_, times_.front(), times_[times_.size() / 2], times_.back());
  fflush(stdout);
}

}  // namespace dmicro_bench
