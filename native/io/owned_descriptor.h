#pragma once

#include <unistd.h>

#include <utility>

namespace dmicro {

// Owns a file descriptor, and closes it when destroyed, on any thread.
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
  // Returns the descriptor, which the caller now owns.
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace dmicro
