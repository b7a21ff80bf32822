#pragma once

#ifdef DMICRO_CHECKED
#include <thread>
#endif

namespace dmicro {

// Belongs to an object that is for one thread: the first thread that calls Here. For DMICRO_ASSERT; in builds without
// checks Here always returns true.
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
