#pragma once

#include <cstddef>

namespace dmicro {

#ifdef DMICRO_COUNT_MEMORY
inline constexpr bool kCountsMemory = true;
#else
inline constexpr bool kCountsMemory = false;
#endif

// Counts what malloc, realloc and free do for native/wire and the tests while it lives; one at a time. `new` is not
// counted: it calls malloc from inside its library.
class MemoryCount {
 public:
  MemoryCount();
  ~MemoryCount();
  MemoryCount(const MemoryCount&) = delete;
  MemoryCount& operator=(const MemoryCount&) = delete;

  size_t calls() const;      // of malloc and realloc
  size_t requested() const;  // bytes, of all these calls together
  size_t live() const;       // bytes not yet freed
};

}  // namespace dmicro
