#include "wire/base36.h"

#include <doctest/doctest.h>

#include <charconv>
#include <initializer_list>
#include <random>

#include "message.h"

namespace dmicro {
namespace {

std::string Write(int32_t value) {
  uint8_t text[kBase36Max];
  return TextOf({text, static_cast<size_t>(WriteBase36(text, value) - text)});
}

// What ReadBase36 makes of `text`, "refused" included.
std::string Read(std::string_view text) {
  int32_t value;
  return ReadBase36(Exact(text), &value) ? std::to_string(value) : "refused";
}

// The result of C++'s own parser, which knows no plus sign.
std::string Expected(std::string_view text) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return "refused";
  }
  int32_t value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 36);
  return error == std::errc() && end == text.data() + text.size() ? std::to_string(value) : "refused";
}

TEST_CASE("writes a sequence number as Go does") {
  CHECK(Write(0) == "0");
  CHECK(Write(1) == "1");
  CHECK(Write(35) == "z");
  CHECK(Write(36) == "10");
  CHECK(Write(1295) == "zz");
  CHECK(Write(1296) == "100");
  CHECK(Write(-1) == "-1");
  CHECK(Write(-36) == "-10");
  CHECK(Write(2147483647) == "zik0zj");
  CHECK(Write(-2147483647 - 1) == "-zik0zk");
}

TEST_CASE("reads what it wrote") {
  for (int32_t value = -50'000; value <= 50'000; value++) REQUIRE(Read(Write(value)) == std::to_string(value));
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; i++) {
    const int32_t value = static_cast<int32_t>(random());
    REQUIRE(Read(Write(value)) == std::to_string(value));
  }
}

TEST_CASE("reads upper case") {
  CHECK(Read("ZIK0ZJ") == "2147483647");
  CHECK(Read("-ZiK0zK") == "-2147483648");
}

TEST_CASE("reads signs and leading zeros") {
  CHECK(Read("+1") == "1");
  CHECK(Read("-0") == "0");
  CHECK(Read("+0") == "0");
  CHECK(Read("0000000000000000001") == "1");
  CHECK(Read("-00zik0zk") == "-2147483648");
}

TEST_CASE("reads 255 characters when all but the last few are zeros") {
  CHECK(Read(std::string(255, '0')) == "0");
  CHECK(Read(std::string(249, '0') + "zik0zj") == "2147483647");
  CHECK(Read('-' + std::string(248, '0') + "zik0zk") == "-2147483648");
}

TEST_CASE("refuses what leaves int32") {
  CHECK(Read("zik0zk") == "refused");
  CHECK(Read("-zik0zl") == "refused");
  CHECK(Read("zik0zj0") == "refused");
  CHECK(Read("1y2p0ij32e8e7") == "refused");  // 2^63 - 1
  CHECK(Read("3w5e11264sgsg") == "refused");  // 2^64, which wraps to 0
  CHECK(Read("1z141z5") == "refused");        // 2^32 + 1, which wraps to 1
  CHECK(Read(std::string(255, 'z')) == "refused");
  CHECK(Read(std::string(254, '0') + "1" + std::string(6, '0')) == "refused");
}

TEST_CASE("refuses nothing and a sign alone") {
  CHECK(Read("") == "refused");
  CHECK(Read("-") == "refused");
  CHECK(Read("+") == "refused");
  CHECK(Read("--1") == "refused");
  CHECK(Read("+-1") == "refused");
  CHECK(Read("-+1") == "refused");
  int32_t value;
  CHECK_FALSE(ReadBase36({}, &value));
}

TEST_CASE("refuses every character that is no digit") {
  for (int c = 0; c < 256; c++) {
    const char character = static_cast<char>(c);
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    CAPTURE(c);
    CHECK((Read(std::string(1, character)) != "refused") == digit);
    CHECK((Read(std::string("1") + character) != "refused") == digit);
    CHECK((Read(std::string("1") + character + '1') != "refused") == digit);
  }
}

TEST_CASE("agrees with another parser on random text") {
  static constexpr std::string_view kAlphabet =
      "0000zZ19kjJK+-_. \0iIo"
      "ABCDEFGHI";
  std::mt19937 random(2);
  int good = 0;
  for (int i = 0; i < 200'000; i++) {
    std::string text;
    for (size_t left = random() % 10; left != 0; left--) text.push_back(kAlphabet[random() % kAlphabet.size()]);
    CAPTURE(text);
    REQUIRE(Read(text) == Expected(text));
    if (Read(text) != "refused") good++;
  }
  CHECK(good > 10'000);  // otherwise the alphabet tests nothing
}

}  // namespace
}  // namespace dmicro
