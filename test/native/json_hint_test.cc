#include "wire/json_hint.h"

#include <doctest/doctest.h>

#include "message.h"

namespace dmicro {
namespace {

TextHint Hint(const std::string& body) { return HintOf(Exact(body)); }

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

TEST_CASE("a JSON string without escapes is known as one") {
  CHECK(Hint("\"\"") == TextHint::kQuoted);
  CHECK(Hint(Quoted("hello, world")) == TextHint::kQuoted);
}

TEST_CASE("other ASCII is known as that") {
  for (const char* body : {"", "1", "\"", "[1,2]", R"({"a":"b"})", R"("a)", R"(a")", R"("a" )", R"( "a")"})
    CHECK(Hint(body) == TextHint::kAscii);
  CHECK(HintOf({}) == TextHint::kAscii);
}

TEST_CASE("one special byte anywhere in a string of any length is seen") {
  for (size_t size = 1; size <= 70; size++) {
    for (size_t at = 0; at < size; at++) {
      std::string text(size, 'a');
      for (const char special : {'"', '\\', '\n', '\0', '\x1f'}) {
        text[at] = special;
        REQUIRE(Hint(Quoted(text)) == TextHint::kAscii);
      }
      for (const char special : {'\x80', '\xc3', '\xff'}) {
        text[at] = special;
        REQUIRE(Hint(Quoted(text)) == TextHint::kNothing);
        REQUIRE(Hint(text) == TextHint::kNothing);
      }
    }
  }
}

TEST_CASE("each byte inside quotes: only what JSON lets stand there as it is") {
  for (int c = 0; c < 256; c++) {
    if (c == 0x7f) continue;  // JSON allows 0x7f unescaped, printers escape it: either answer is right
    CAPTURE(c);
    const TextHint plain = c < 0x20 || c == '"' || c == '\\' ? TextHint::kAscii : TextHint::kQuoted;
    CHECK(Hint(Quoted(std::string(1, static_cast<char>(c)))) == (c < 0x80 ? plain : TextHint::kNothing));
  }
}

TEST_CASE("long bodies are not searched") {
  CHECK(Hint(std::string(64 * 1024, 'a')) == TextHint::kAscii);
  CHECK(Hint(std::string(64 * 1024 + 1, 'a')) == TextHint::kNothing);
  CHECK(Hint(Quoted(std::string(64 * 1024 - 2, 'a'))) == TextHint::kQuoted);
  CHECK(Hint(Quoted(std::string(64 * 1024 - 1, 'a'))) == TextHint::kNothing);
}

}  // namespace
}  // namespace dmicro
