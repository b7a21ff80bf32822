#include <doctest/doctest.h>

#include "hex.h"
#include "message.h"
#include "wire/utf8.h"

namespace dmicro {
namespace {

// Whether `text` is UTF-8, read in two pieces that are cut at `cut`.
bool Valid(const std::string& text, size_t cut) {
  Utf8Check check;
  const Exact first(text.substr(0, cut)), second(text.substr(cut));
  return check.Add(first) && check.Add(second) && check.Finish();
}

void CheckText(const char* hex, bool valid) {
  CAPTURE(hex);
  for (const char* around : {"", "6162636465666768"}) {
    const std::string text = Hex(around) + Hex(hex) + Hex(around);
    for (size_t cut = 0; cut <= text.size(); cut++) {
      CAPTURE(cut);
      CHECK(Valid(text, cut) == valid);
    }
  }
}

TEST_CASE("the first and last characters of each length are UTF-8, wherever the text is cut") {
  for (const char* hex : {"00", "7f", "c280", "dfbf", "e0a080", "efbfbf", "f0908080", "f48fbfbf", "ed9fbf", "ee8080",
                          "efbfbd", "cebae1bdb9cf83cebcceb5", "e4bda0e5a5bd", "f09f9880"}) {
    CheckText(hex, true);
  }
}

TEST_CASE("what RFC 3629 forbids is not UTF-8, wherever the text is cut") {
  for (const char* hex :
       {"80",     "bf",   "c080",       "c1bf",         "c2",           "c220",     "e08080",   "e09fbf", "eda080",
        "edbfbf", "e0a0", "e0a020",     "f08080bf",     "f08fbfbf",     "f4908080", "f5808080", "f09080", "f0908020",
        "fe",     "ff",   "f888808080", "edaebfedbfbf", "fc8480808080", "8080",     "fefeffff"}) {
    CheckText(hex, false);
  }
}

TEST_CASE("every two-byte and three-byte sequence is judged as a table of RFC 3629 does") {
  for (int a = 0x80; a < 0x100; a++) {
    for (int b = 0; b < 0x100; b++) {
      const std::string two{static_cast<char>(a), static_cast<char>(b)};
      CHECK(Valid(two, 1) == (a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf));
      const std::string three = two + '\x80';
      const bool tail = b >= (a == 0xe0 ? 0xa0 : 0x80) && b <= (a == 0xed ? 0x9f : 0xbf);
      CHECK(Valid(three, 2) == (a >= 0xe0 && a <= 0xef && tail));
    }
  }
}

TEST_CASE("a check begins a new text after Finish") {
  Utf8Check check;
  const std::string half = Hex("e4bd");
  CHECK(check.Add(Exact(half)));
  CHECK_FALSE(check.Finish());
  CHECK(check.Add(Exact(std::string("text"))));
  CHECK(check.Finish());
}

}  // namespace
}  // namespace dmicro
