#pragma once

#include <unistd.h>

#include <utility>

namespace dmicro {

// Owns one of the system's descriptors: whoever drops it, on whatever thread, closes it.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int number = -1) : number_(number) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : number_(other.Release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~OwnedDescriptor() {
    if (number_ >= 0) close(number_);
  }

  int number() const { return number_; }
  // The caller owns it from now on.
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace dmicro
