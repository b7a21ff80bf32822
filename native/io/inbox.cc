#include "io/inbox.h"

#include <algorithm>

namespace dmicro {

Record* Inbox::Add() {
  if (Full()) return &overflow_.emplace_back();
  return &rings_.records[lane_.first_record + count_++];
}

Batch Inbox::Flip(const Lane& next) {
  const Batch batch{static_cast<int32_t>(lane_.first_record), static_cast<int32_t>(count_)};
  if (next.arena_start != lane_.arena_start) used_ = next.arena_start;
  lane_ = next;
  count_ = static_cast<uint32_t>(std::min<size_t>(overflow_.size(), lane_.max_records));
  const auto end = overflow_.begin() + count_;
  std::copy(overflow_.begin(), end, rings_.records + lane_.first_record);
  overflow_.erase(overflow_.begin(), end);
  return batch;
}

}  // namespace dmicro
