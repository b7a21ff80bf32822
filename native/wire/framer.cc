#include "wire/framer.h"

#include <algorithm>
#include <cstdlib>

namespace dmicro {

Framer::~Framer() { std::free(held_); }

Framer::Space Framer::Reserve(Space scratch) {
  // A prefix that was not checked yet (below six bytes) always goes through scratch, where CheckPrefix sees it.
  direct_ = held_size_ >= kPrefixSize && (held_size_ >= kDirectFrom || total_ - held_size_ >= kDirectFrom);
  if (direct_) {
    if (held_size_ == held_capacity_) Grow(std::min<size_t>(total_, std::max(held_size_ * 2, kDirectFrom)));
    space_ = held_capacity_ - held_size_;
    return {held_ + held_size_, space_};
  }
  DMICRO_ASSERT(held_size_ < scratch.size);
  base_ = scratch.data;
  if (held_size_ != 0) std::memcpy(base_, held_, held_size_);
  space_ = scratch.size - held_size_;
  return {base_ + held_size_, space_};
}

uint8_t* Framer::Release() {
  DMICRO_ASSERT(direct_ && held_ != nullptr);
  uint8_t* const memory = held_;
  held_ = nullptr;
  Drop();
  return memory;
}

void Framer::Skip(size_t n) {
  if (n >= held_size_) {
    Drop();
    return;
  }
  held_size_ -= n;
  total_ = static_cast<uint32_t>(held_size_);
  std::memmove(held_, held_ + n, held_size_);
}

size_t Framer::GiveBack(uint8_t* scratch) {
  const size_t size = held_size_;
  if (size != 0) std::memcpy(scratch, held_, size);
  Drop();
  return size;
}

void Framer::Hold(const uint8_t* data, size_t size, uint32_t total) {
  DMICRO_ASSERT(held_ == nullptr && size != 0 && (total == 0 || size <= total));
  Grow(size);
  std::memcpy(held_, data, size);
  held_size_ = size;
  total_ = total;
}

void Framer::Grow(size_t capacity) {
  DMICRO_ASSERT(capacity > held_capacity_);
  held_ = static_cast<uint8_t*>(std::realloc(held_, capacity));
  if (held_ == nullptr) std::abort();  // out of memory: abort, as V8 and new do
  held_capacity_ = capacity;
}

void Framer::Drop() {
  std::free(held_);
  held_ = nullptr;
  held_size_ = held_capacity_ = 0;
  total_ = 0;
}

}  // namespace dmicro
