#pragma once

#include <string_view>

namespace dmicro_bench {

// The members of a JSON object in the order they stand, as text: a string with its quotes and its escapes. Only what
// tells one member from the next is looked at, because what is sent back is compared with what was sent.
class JsonObject {
 public:
  enum class Step { kMember, kEnd, kBad };

  explicit JsonObject(std::string_view text) : rest_(text) {}

  Step Next(std::string_view* key, std::string_view* value);

 private:
  void SkipSpace();
  bool Take(char expected);
  bool String(std::string_view* text);
  bool Value(std::string_view* text);

  std::string_view rest_;
  bool begun_ = false;
};

}  // namespace dmicro_bench
