#include "protocols/json_object.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <memory>
#include <string>

namespace dmicro_bench {
namespace {

// Text "key=value;key=value;" and how the object ended.
std::string Members(const std::string& text) {
  const std::unique_ptr<char[]> copy(new char[text.size()]);
  text.copy(copy.get(), text.size());
  JsonObject object({copy.get(), text.size()});
  std::string found;
  std::string_view key, value;
  for (;;) {
    const JsonObject::Step step = object.Next(&key, &value);
    if (step == JsonObject::Step::kEnd) return found;
    if (step == JsonObject::Step::kBad) return "bad";
    found.append(key).append("=").append(value).append(";");
  }
}

TEST_CASE("members are told apart") {
  CHECK(Members("{}") == "");
  CHECK(Members(R"({"a":1,"b":"x","c":null})") == R"(a=1;b="x";c=null;)");
  CHECK(Members(" { \"a\" : -1.5e3 , \"b\" : true }\r") == "a=-1.5e3;b=true;");
}

TEST_CASE("an escaped quote ends no string") {
  CHECK(Members(R"({"a":"\"x\"","b":"\\","c":"\\\""})") == R"(a="\"x\"";b="\\";c="\\\"";)");
}

TEST_CASE("objects and arrays are one value, whatever stands in their strings") {
  CHECK(Members(R"({"a":{"b":[1,{"c":"}"}]},"d":["\"]"]})") == R"(a={"b":[1,{"c":"}"}]};d=["\"]"];)");
}

TEST_CASE("what is no object is refused") {
  for (const char* text : {"", "1", "[]", "{", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":"x})", R"({"a":1,})",
                           "{a:1}", R"({"a":1}x)", R"({"a":[1})", R"({"a":1 "b":2})", R"({"a":})"}) {
    CHECK_MESSAGE(Members(text) == "bad", text);
  }
}

}  // namespace
}  // namespace dmicro_bench
