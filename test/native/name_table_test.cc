#include "wire/name_table.h"

#include <doctest/doctest.h>

#include <climits>

#include "message.h"

namespace dmicro {
namespace {

int32_t Find(const NameTable& table, std::string_view name) { return table.Find(Exact(name)); }

std::string Route(int i) { return "/route/" + std::to_string(i); }

TEST_CASE("a name is found under the number it was added with") {
  NameTable table;
  REQUIRE(table.Add(0, BytesOf("/math/add")));
  REQUIRE(table.Add(1, BytesOf("/chat/say")));
  CHECK(Find(table, "/math/add") == 0);
  CHECK(Find(table, "/chat/say") == 1);
  CHECK(TextOf(table.At(0)) == "/math/add");
  CHECK(TextOf(table.At(1)) == "/chat/say");
}

TEST_CASE("names are matched exactly") {
  NameTable table;
  table.Add(0, BytesOf("/math/add"));
  for (const char* other :
       {"/math/ad", "/math/addd", "/Math/add", "math/add", "/math/add/", "__proto__", "constructor"})
    CHECK(Find(table, other) == -1);
  CHECK(Find(table, std::string_view("/math/add\0", 10)) == -1);
}

TEST_CASE("a name may hold any byte") {
  const std::string odd("/\0\xff\xfe nul", 8);
  NameTable table;
  REQUIRE(table.Add(0, BytesOf(odd)));
  REQUIRE(table.Add(1, BytesOf("/")));
  REQUIRE(table.Add(2, BytesOf(std::string(255, '\xff'))));
  CHECK(Find(table, odd) == 0);
  CHECK(Find(table, "/") == 1);
  CHECK(Find(table, std::string(255, '\xff')) == 2);
  CHECK(TextOf(table.At(0)) == odd);
}

TEST_CASE("the empty name is a name, wherever its no bytes lie") {
  NameTable table;
  CHECK(table.Find({}) == -1);
  REQUIRE(table.Add(0, {}));
  CHECK(table.Find({}) == 0);
  CHECK(Find(table, "") == 0);
  CHECK(table.At(0).size == 0);
}

TEST_CASE("an empty table knows nothing") {
  const NameTable table;
  CHECK(Find(table, "/math/add") == -1);
  CHECK(table.At(0).size == 0);
}

TEST_CASE("numbers must come in order") {
  NameTable table;
  CHECK_FALSE(table.Add(1, BytesOf("early")));
  CHECK_FALSE(table.Add(UINT32_MAX, BytesOf("wild")));
  REQUIRE(table.Add(0, BytesOf("first")));
  CHECK_FALSE(table.Add(0, BytesOf("again")));
  CHECK_FALSE(table.Add(2, BytesOf("skips")));
  for (const char* refused : {"early", "wild", "again", "skips"}) CHECK(Find(table, refused) == -1);
  CHECK(TextOf(table.At(0)) == "first");
}

TEST_CASE("an unknown number has no name") {
  NameTable table;
  table.Add(0, BytesOf("only"));
  for (const int32_t id : {1, -1, INT_MAX, INT_MIN}) CHECK(table.At(id).data == nullptr);
}

TEST_CASE("every name is still found while the table grows") {
  constexpr int kNames = 20'000;
  NameTable table;
  for (int i = 0; i < kNames; i++) {
    REQUIRE(table.Add(static_cast<uint32_t>(i), BytesOf(Route(i))));
    // Names on both sides of each growth are found, and all names before.
    REQUIRE(Find(table, Route(i)) == i);
    REQUIRE(Find(table, Route(i / 2)) == i / 2);
    REQUIRE(Find(table, Route(i + 1)) == -1);
  }
  for (int i = 0; i < kNames; i++) {
    REQUIRE(Find(table, Route(i)) == i);
    REQUIRE(TextOf(table.At(i)) == Route(i));
  }
}

}  // namespace
}  // namespace dmicro
