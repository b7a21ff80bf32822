#pragma once

#ifdef DMICRO_CHECKED
#include <thread>
#endif

namespace dmicro {

// Whose functions are for one thread: the first that calls Here. For DMICRO_ASSERT; without checks it holds nothing.
class ThreadCheck {
 public:
#ifdef DMICRO_CHECKED
  bool Here() const {
    if (owner_ == std::thread::id()) owner_ = std::this_thread::get_id();
    return owner_ == std::this_thread::get_id();
  }

 private:
  mutable std::thread::id owner_;
#else
  bool Here() const { return true; }
#endif
};

}  // namespace dmicro
