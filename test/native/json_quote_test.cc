#include "wire/json_quote.h"

#include <doctest/doctest.h>

#include <vector>

#include "message.h"

namespace dmicro {
namespace {

std::string Quote(const std::string& text) {
  std::vector<uint8_t> out(text.size() * kMaxEscape + 2);
  const uint8_t* const end = QuoteJson(out.data(), Exact(text));
  return {reinterpret_cast<const char*>(out.data()), static_cast<size_t>(end - out.data())};
}

TEST_CASE("each byte is escaped as JSON.stringify does") {
  for (int c = 0; c < 256; c++) {
    CAPTURE(c);
    const std::string text(1, static_cast<char>(c));
    std::string inner = text;
    if (c == '"') inner = "\\\"";
    if (c == '\\') inner = "\\\\";
    if (c < 0x20) {
      const std::string letters = "btn_fr";
      char code[7];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      inner = c >= 8 && c <= 13 && c != 11 ? std::string("\\") + letters[static_cast<size_t>(c) - 8] : code;
    }
    CHECK(Quote(text) == '"' + inner + '"');
    CHECK(NeedsEscape(Exact(text)) == (inner != text));
  }
}

TEST_CASE("text without escapes is itself in quotes, of any length") {
  for (size_t size = 0; size <= 70; size++) {
    const std::string text(size, '\xc3');
    REQUIRE(Quote(text) == '"' + text + '"');
    REQUIRE_FALSE(NeedsEscape(Exact(text)));
  }
}

TEST_CASE("one byte to escape anywhere in a text of any length is seen") {
  for (size_t size = 1; size <= 70; size++) {
    for (size_t at = 0; at < size; at++) {
      for (const char special : {'"', '\\', '\n', '\0', '\x1f'}) {
        for (const char other : {'a', '\x7f', '\x80', '\xff'}) {
          std::string text(size, other);
          text[at] = special;
          REQUIRE(NeedsEscape(Exact(text)));
        }
      }
    }
  }
}

TEST_CASE("all bytes escaped fill the room that is asked for") {
  const std::string text(100, '\x01');
  CHECK(Quote(text).size() == text.size() * kMaxEscape + 2);
}

}  // namespace
}  // namespace dmicro
