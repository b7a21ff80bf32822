#include "wire/close_reason.h"

#include <doctest/doctest.h>

#include <string>

namespace dmicro {
namespace {

TEST_CASE("every reason to close has a text") {
  static_assert(sizeof kCloseReasonText / sizeof *kCloseReasonText == static_cast<size_t>(CloseReason::kHook) + 1);
  for (const char* text : kCloseReasonText) CHECK(!std::string(text).empty());
}

}  // namespace
}  // namespace dmicro
