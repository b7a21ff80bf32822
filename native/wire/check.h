#pragma once

#ifdef DMICRO_CHECKED
#include <cstdio>
#include <cstdlib>
#endif

// DMICRO_ASSERT(condition) states a precondition or an invariant. The condition is checked in builds with
// DMICRO_CHECKED: the native tests and every build with a sanitizer. Other builds do not evaluate it, so that what a
// peer or JavaScript can cause must be handled, never asserted.

namespace dmicro {

#ifdef DMICRO_CHECKED
[[noreturn]] inline void AssertionFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
  std::abort();
}
#define DMICRO_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::dmicro::AssertionFailed(#condition, __FILE__, __LINE__))
#else
#define DMICRO_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#endif

}  // namespace dmicro
