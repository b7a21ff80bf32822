#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "wire/check.h"

namespace dmicro {

// A queue in one block of memory, which grows with the elements and is freed when a large one has become empty: an idle
// conversation holds next to nothing.
template <typename T>
class Ring {
 public:
  bool Empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  T& operator[](size_t i) {
    DMICRO_ASSERT(i < size_);
    return items_[(first_ + i) & (capacity_ - 1)];
  }
  T& Front() { return (*this)[0]; }
  T& Back() { return (*this)[size_ - 1]; }

  void Push(T item) {
    if (size_ == capacity_) Grow();
    items_[(first_ + size_++) & (capacity_ - 1)] = std::move(item);
  }

  T Pop() {
    T item = std::move(Front());
    first_ = (first_ + 1) & (capacity_ - 1);
    if (--size_ == 0 && capacity_ > kKept) {
      items_.reset();
      first_ = capacity_ = 0;
    }
    return item;
  }

 private:
  static constexpr size_t kKept = 8;

  void Grow() {
    const size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
    auto items = std::make_unique<T[]>(capacity);
    for (size_t i = 0; i < size_; i++) items[i] = std::move((*this)[i]);
    items_ = std::move(items);
    first_ = 0;
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> items_;
  size_t first_ = 0;
  size_t size_ = 0;
  size_t capacity_ = 0;  // 0 or a power of two
};

}  // namespace dmicro
