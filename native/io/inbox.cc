#include "io/inbox.h"

#include <algorithm>

namespace dmicro {

Record* Inbox::Add() {
  if (count_ == kMaxRecords) return &spill_.emplace_back();
  return &rings_.records[half_ * kMaxRecords + count_++];
}

void Inbox::Flip() {
  rings_.control->first = static_cast<int32_t>(half_ * kMaxRecords);
  rings_.control->count = static_cast<int32_t>(count_);
  half_ ^= 1;
  count_ = static_cast<uint32_t>(std::min<size_t>(spill_.size(), kMaxRecords));
  std::copy_n(spill_.begin(), count_, rings_.records + half_ * kMaxRecords);
  spill_.erase(spill_.begin(), spill_.begin() + count_);
}

void Inbox::Done(bool keep_arena) {
  if (!keep_arena) used_ = 0;
}

}  // namespace dmicro
