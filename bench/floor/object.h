#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dmicro_bench {

// The object that the trials send (bench/README.md), as a server in C++ would hold it. One is used for all calls, so
// that its text and its list keep their memory.
struct Object {
  // A nested list is the sequence of its numbers and brackets.
  struct Part {
    enum class Kind : uint8_t { kNumber, kOpen, kClose };
    Kind kind;
    int64_t number;
  };

  int64_t id;
  std::string text;
  std::vector<Part> list;
  bool ok;
  double f;
};

// Reads every field, whatever their order and the space between them. False when `json` is no such object, or lacks a
// field.
bool ParseObject(std::string_view json, Object* object);

// Replaces `json` by the object, printed from its fields.
void PrintObject(const Object& object, std::string* json);

}  // namespace dmicro_bench
