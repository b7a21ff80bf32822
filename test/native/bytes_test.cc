#include "wire/bytes.h"

#include <doctest/doctest.h>

#include "hex.h"
#include "message.h"

namespace dmicro {
namespace {

TEST_CASE("loads and stores integers big end first") {
  uint8_t memory[4];
  CHECK(StoreBig32(memory, 0x01020304) == memory + 4);
  CHECK(TextOf({memory, 4}) == Hex("01 02 03 04"));
  CHECK(LoadBig32(memory) == 0x01020304);
  StoreBig32(memory, 0xfffefdfc);
  CHECK(LoadBig32(memory) == 0xfffefdfc);
  CHECK(StoreBig16(memory, 0xabcd) == memory + 2);
  CHECK(TextOf({memory, 2}) == Hex("ab cd"));
}

TEST_CASE("stores a run of bytes, also an empty one from nowhere") {
  uint8_t memory[3] = {9, 9, 9};
  CHECK(StoreBytes(memory, {}) == memory);
  CHECK(StoreBytes(memory, BytesOf("ab")) == memory + 2);
  CHECK(TextOf({memory, 3}) == "ab\x09");
}

TEST_CASE("compares with a literal by length and content") {
  CHECK(Equals(BytesOf("{}"), "{}"));
  CHECK_FALSE(Equals(BytesOf("{ "), "{}"));
  CHECK_FALSE(Equals(BytesOf("{"), "{}"));
  CHECK_FALSE(Equals(BytesOf("{}}"), "{}"));
  CHECK_FALSE(Equals({}, "{}"));
}

TEST_CASE("a reader takes runs behind 8-bit and 16-bit lengths, then the rest") {
  const Exact memory(Hex("07 02 6162 0003 636465 00 0000 6667"));
  Reader reader(memory);
  uint8_t number;
  Bytes run;
  REQUIRE(reader.U8(&number));
  CHECK(number == 7);
  REQUIRE(reader.Bytes8(&run));
  CHECK(TextOf(run) == "ab");
  REQUIRE(reader.Bytes16(&run));
  CHECK(TextOf(run) == "cde");
  REQUIRE(reader.Bytes8(&run));
  CHECK(run.size == 0);
  REQUIRE(reader.Bytes16(&run));
  CHECK(run.size == 0);
  CHECK(TextOf(reader.Rest()) == "fg");
}

TEST_CASE("a reader takes the largest run of each kind") {
  Bytes run;
  const Exact short_run('\xff' + std::string(255, 'x'));
  REQUIRE(Reader(short_run).Bytes8(&run));
  CHECK(run.size == 255);
  const Exact long_run("\xff\xff" + std::string(65535, 'x'));
  REQUIRE(Reader(long_run).Bytes16(&run));
  CHECK(run.size == 65535);
}

TEST_CASE("a reader refuses a length that is cut or runs past the end") {
  uint8_t number;
  Bytes run;
  CHECK_FALSE(Reader({}).U8(&number));
  CHECK_FALSE(Reader({}).Bytes8(&run));
  CHECK_FALSE(Reader({}).Bytes16(&run));
  CHECK_FALSE(Reader(Exact(Hex("01"))).Bytes8(&run));
  CHECK_FALSE(Reader(Exact(Hex("00"))).Bytes16(&run));
  CHECK_FALSE(Reader(Exact(Hex("0001"))).Bytes16(&run));
  CHECK_FALSE(Reader(Exact('\xff' + std::string(254, 'x'))).Bytes8(&run));
  CHECK_FALSE(Reader(Exact("\xff\xff" + std::string(65534, 'x'))).Bytes16(&run));
  CHECK(Reader({}).Rest().size == 0);
}

}  // namespace
}  // namespace dmicro
