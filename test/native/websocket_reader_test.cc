#include <doctest/doctest.h>

#include "hex.h"
#include "memory_count.h"
#include "websocket_peer.h"

namespace dmicro {
namespace {

using Answers = std::vector<std::string>;

Answers Read(const std::string& bytes, size_t chunk, WsLimits limits = {true, false, 1 << 20}) {
  WsEcho echo(limits);
  echo.Feed(bytes, chunk);
  return echo.answers;
}

TEST_CASE("frames give the same messages in any chunks") {
  const std::string bytes = WsText("one") + WsFrame(0x82, std::string(300, 'x')) + WsFrame(0x89, "are you there") +
                            WsFrame(0x01, "fra") + WsFrame(0x8a, "unasked") + WsFrame(0x00, "gme") +
                            WsFrame(0x80, "nts") + WsFrame(0x82, std::string(70'000, 'y')) + WsText("") +
                            WsCloseWith(1001, "bye");
  const Answers expected{"text one",       "binary " + std::string(300, 'x'),    "pong are you there",
                         "text fragments", "binary " + std::string(70'000, 'y'), "text ",
                         "close 1001"};
  CHECK(Read(bytes, SIZE_MAX) == expected);
  for (const size_t chunk : {1u, 2u, 3u, 5u, 7u, 13u, 64u, 1000u, 65'536u}) {
    CAPTURE(chunk);
    CHECK(Read(bytes, chunk) == expected);
  }
}

TEST_CASE("frames of a server must not be masked, those of a client must") {
  const WsLimits client{false, false, 1000};
  CHECK(Read(WsFrame(0x82, "x", false), 1, client) == Answers{"binary x"});
  CHECK(Read(WsFrame(0x82, "x", true), 1, client) == Answers{"fail 1002"});
  CHECK(Read(WsFrame(0x82, "x", false), 1) == Answers{"fail 1002"});
}

TEST_CASE("a message over the limit is refused at its header, before a byte of it comes") {
  const WsLimits limits{false, false, 1000};
  CHECK(Read(Hex("827e03e8"), 1, limits).empty());
  CHECK(Read(Hex("827e03e9"), 1, limits) == Answers{"fail 1009"});
  CHECK(Read(Hex("827f7fffffffffffffff"), 1, limits) == Answers{"fail 1009"});
  CHECK(Read(Hex("827fffffffffffffffff"), 1, limits) == Answers{"fail 1002"});
}

TEST_CASE("the limit counts the sum of the fragments") {
  const WsLimits limits{false, false, 10};
  CHECK(Read(Hex("0206") + "123456" + Hex("8004") + "7890", 1, limits) == Answers{"binary 1234567890"});
  CHECK(Read(Hex("0206") + "123456" + Hex("8005"), 1, limits) == Answers{"fail 1009"});
  // Also where the sum would not fit 64 bits.
  CHECK(Read(Hex("0206") + "123456" + Hex("807f7ffffffffffffffc"), 1, limits) == Answers{"fail 1009"});
}

TEST_CASE("empty and tiny fragments are counted, and take no memory" * doctest::skip(!kCountsMemory)) {
  const WsLimits limits{false, false, 1 << 20};
  WsEcho echo(limits);
  echo.Feed(Hex("0200"));
  std::string many;
  for (uint32_t i = 1; i < 4096; i++) many += Hex("0000");
  many += Hex("0000");
  {
    uint8_t* const start = reinterpret_cast<uint8_t*>(many.data());
    const MemoryCount memory;
    for (uint32_t i = 0; i < WebSocketReader::kMaxFragments / 4096 - 1; i++) {
      uint8_t* at = start;
      uint8_t* out = start;
      REQUIRE(echo.reader.Read(&at, start + many.size(), &out, limits) == WebSocketReader::Event::kMore);
    }
    CHECK(memory.live() == 0);
  }
  CHECK(echo.open);
  echo.Feed(many);
  CHECK(echo.answers == Answers{"fail 1008"});
}

TEST_CASE("a control frame that is not complete takes 125 bytes at most" * doctest::skip(!kCountsMemory)) {
  const std::string ping = WsFrame(0x89, std::string(125, 'p'));
  WsEcho echo;
  echo.Feed(ping.substr(0, 100), 1);
  CHECK(echo.answers.empty());
  CHECK(echo.reader.unfinished());
  echo.Feed(ping.substr(100), 1);
  CHECK(echo.answers == Answers{"pong " + std::string(125, 'p')});
  CHECK_FALSE(echo.reader.unfinished());
}

TEST_CASE("what is unfinished is known: a header, a frame, a message") {
  WsEcho echo;
  const std::string bytes = WsFrame(0x02, "ab") + WsFrame(0x80, "c");
  for (size_t i = 0; i + 1 < bytes.size(); i++) {
    echo.Feed(bytes.substr(i, 1));
    CHECK(echo.reader.unfinished());
  }
  echo.Feed(bytes.substr(bytes.size() - 1));
  CHECK_FALSE(echo.reader.unfinished());
}

TEST_CASE("RSV1 is allowed on the first frame of a message alone, and only where compression was agreed on") {
  const WsLimits limits{true, true, 1000};
  WsEcho echo(limits);
  echo.Feed(WsFrame(0xc1, "\xff\xfe"));
  CHECK(echo.answers == Answers{"text \xff\xfe"});  // text of compressed messages is checked when it is inflated
  CHECK(echo.reader.compressed());
  echo.Feed(WsFrame(0x82, "plain"));
  CHECK_FALSE(echo.reader.compressed());
  echo.Feed(WsFrame(0x42, "a") + WsFrame(0xc0, "b"));
  CHECK(echo.answers.back() == "fail 1002");
  CHECK(Read(WsFrame(0xc2, "x"), 1) == Answers{"fail 1002"});
  CHECK(Read(WsFrame(0xc9, "x"), 1, limits) == Answers{"fail 1002"});
  CHECK(Read(WsFrame(0xa2, "x"), 1, limits) == Answers{"fail 1002"});
}

TEST_CASE("a close frame is read with its code; what no peer may send is a protocol error") {
  CHECK(Read(WsFrame(0x88, ""), 1) == Answers{"close 1005"});
  CHECK(Read(WsCloseWith(4321, "why"), 1) == Answers{"close 4321"});
  CHECK(Read(WsFrame(0x88, "\x03"), 1) == Answers{"fail 1002"});
  CHECK(Read(WsCloseWith(1005), 1) == Answers{"fail 1002"});
  CHECK(Read(WsCloseWith(1000, "\xff"), 1) == Answers{"fail 1007"});
  CHECK(Read(WsCloseWith(1000, "\xe4\xbd"), 1) == Answers{"fail 1007"});
}

}  // namespace
}  // namespace dmicro
