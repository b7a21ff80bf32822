#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "object.h"

namespace dmicro_bench {

// Answers an object with what it makes of it: read into fields and printed from them.
class ObjectEcho {
 public:
  // Valid until the next call; nothing when `json` is no such object.
  std::optional<std::string_view> Answer(std::string_view json) {
    if (!ParseObject(json, &object_)) return std::nullopt;
    PrintObject(object_, &printed_);
    return printed_;
  }

 private:
  Object object_{};
  std::string printed_;
};

}  // namespace dmicro_bench
