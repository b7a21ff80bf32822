#pragma once

#include <cstddef>

namespace dmicro {

#ifdef DMICRO_COUNT_MEMORY
inline constexpr bool kCountsMemory = true;
#else
inline constexpr bool kCountsMemory = false;
#endif

// Counts the calls of malloc, realloc and free in native/wire and the tests while this object lives; one object at a
// time. Calls of `new` are not counted, since they call malloc from inside their library.
class MemoryCount {
 public:
  MemoryCount();
  ~MemoryCount();
  MemoryCount(const MemoryCount&) = delete;
  MemoryCount& operator=(const MemoryCount&) = delete;

  size_t calls() const;      // calls of malloc and realloc
  size_t requested() const;  // bytes, of all these calls together
  size_t live() const;       // bytes not yet freed
};

}  // namespace dmicro
