#include "memory_count.h"

#include <unordered_map>
#include <utility>

namespace {

// State of the MemoryCount that lives; without one every call goes straight to the allocator.
struct Counts {
  size_t calls = 0;
  size_t requested = 0;
  size_t live = 0;
  std::unordered_map<void*, size_t> sizes;
};
Counts* counts = nullptr;

[[maybe_unused]] void* Took(void* memory, size_t size) {
  if (counts != nullptr && memory != nullptr) {
    counts->calls++;
    counts->requested += size;
    counts->live += size;
    counts->sizes[memory] = size;
  }
  return memory;
}

[[maybe_unused]] void Gave(void* memory) {
  if (counts == nullptr) return;
  const auto known = counts->sizes.find(memory);
  if (known == counts->sizes.end()) return;  // the block is older than this count
  counts->live -= known->second;
  counts->sizes.erase(known);
}

}  // namespace

#ifdef DMICRO_COUNT_MEMORY
// The linker's --wrap sends native/wire's calls here.
extern "C" {
void* __real_malloc(size_t size);
void* __real_realloc(void* memory, size_t size);
void __real_free(void* memory);

void* __wrap_malloc(size_t size) { return Took(__real_malloc(size), size); }

void* __wrap_realloc(void* memory, size_t size) {
  Gave(memory);
  return Took(__real_realloc(memory, size), size);
}

void __wrap_free(void* memory) {
  Gave(memory);
  __real_free(memory);
}
}
#endif

namespace dmicro {

MemoryCount::MemoryCount() { counts = new Counts; }

MemoryCount::~MemoryCount() { delete std::exchange(counts, nullptr); }

size_t MemoryCount::calls() const { return counts->calls; }
size_t MemoryCount::requested() const { return counts->requested; }
size_t MemoryCount::live() const { return counts->live; }

}  // namespace dmicro
