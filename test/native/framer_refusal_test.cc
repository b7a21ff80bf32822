#include <doctest/doctest.h>

#include "feeder.h"
#include "hex.h"
#include "memory_count.h"

// Streams that must end a connection: on the first byte that shows the error, with the reason, and without memory for
// the rest.

namespace dmicro {
namespace {

const std::string kGood = Hex("0000000f 01 00 01 31 01 00 0000 0000 6a");

struct BadStream {
  const char* name;
  std::string bytes;  // the last byte is the first one that shows the error
  CloseReason reason;
};

const std::vector<BadStream>& BadStreams() {
  static const std::vector<BadStream> streams = [] {
    std::vector<BadStream> all;
    for (int length = 0; length < static_cast<int>(kMinFrame); length++)
      all.push_back({"short", Hex("000000") + static_cast<char>(length), CloseReason::kTooShort});
    for (const char* length : {"01000001", "7fffffff", "80000000", "ffffffff"})
      all.push_back({"over the limit", Hex(length), CloseReason::kTooLarge});
    for (const char* version : {"00", "02", "06", "ff"})
      all.push_back({"version", Hex("0000000f") + Hex(version), CloseReason::kVersion});
    for (const char* count : {"05", "10", "ff"})
      all.push_back({"filter count", Hex("00000020 01") + Hex(count), CloseReason::kFilterCount});
    for (const char* seq : {"00 01 00 0000 0000 6a 00", "01 2d 01 00 0000 0000 6a", "01 20 01 00 0000 0000 6a"})
      all.push_back({"seq", FrameOf(Hex(seq)), CloseReason::kSeq});
    for (const char* type : {"00", "06", "07", "ff"})
      all.push_back({"type", FrameOf(Hex("01 31") + Hex(type) + Hex("00 0000 0000 6a")), CloseReason::kType});
    for (const char* fields : {"09 31 01 00 0000 0000 6a", "01 31 01 06 0000 0000 6a", "01 31 01 00 0004 0000 6a",
                               "01 31 01 00 0000 0002 6a", "01 31 01 00 0000 0001 6a"})
      all.push_back({"overrun", FrameOf(Hex(fields)), CloseReason::kOverrun});
    // A long frame is checked in the memory of the framer.
    all.push_back(
        {"long overrun", FrameOf(Hex("01 31 01 00 ffff") + std::string(50'000, '\0')), CloseReason::kOverrun});
    all.push_back({"long seq", FrameOf(Hex("01 3f") + std::string(50'000, '\0')), CloseReason::kSeq});
    all.push_back({"long type", FrameOf(Hex("01 31 06") + std::string(50'000, '\0')), CloseReason::kType});
    return all;
  }();
  return streams;
}

TEST_CASE("a bad stream is refused with its reason, however it is cut, and not a byte earlier") {
  for (const BadStream& bad : BadStreams()) {
    CAPTURE(bad.name);
    for (const size_t chunk : {size_t{1}, size_t{2}, size_t{3}, size_t{5}, size_t{4096}, SIZE_MAX}) {
      Feeder early;
      REQUIRE(early.Feed(std::string_view(bad.bytes).substr(0, bad.bytes.size() - 1), chunk) == Parse::kMore);
      Feeder feeder;
      REQUIRE(feeder.Feed(bad.bytes, chunk) == Parse::kBad);
      CHECK(feeder.reason == bad.reason);
      CHECK(feeder.count == 0);
    }
  }
}

TEST_CASE("good frames before a bad one are delivered first, in the same read or not") {
  for (const BadStream& bad : BadStreams()) {
    CAPTURE(bad.name);
    for (const size_t chunk : {size_t{1}, size_t{7}, size_t{16}, SIZE_MAX}) {
      Feeder feeder;
      CHECK(feeder.Feed(kGood + kGood + kGood + bad.bytes + kGood, chunk) == Parse::kBad);
      CHECK(feeder.reason == bad.reason);
      CHECK(feeder.count == 3);
    }
  }
}

TEST_CASE("a length that is refused takes no memory" * doctest::skip(!kCountsMemory)) {
  for (const BadStream& bad : BadStreams()) {
    if (bad.bytes.size() > 6) continue;
    Feeder feeder;
    const MemoryCount memory;
    REQUIRE(feeder.Feed(bad.bytes) == Parse::kBad);
    CHECK(memory.calls() == 0);
  }
}

TEST_CASE("a prefix refused byte by byte holds no memory afterwards" * doctest::skip(!kCountsMemory)) {
  for (const BadStream& bad : BadStreams()) {
    if (bad.bytes.size() > 6) continue;
    Feeder feeder;
    const MemoryCount memory;
    REQUIRE(feeder.Feed(bad.bytes, 1) == Parse::kBad);
    CHECK(memory.requested() <= 1 + 2 + 3 + 4 + 5);
    CHECK(memory.live() == 0);
    CHECK(feeder.framer.held() == 0);
  }
}

TEST_CASE("a frame exactly at the limit passes, one byte more does not") {
  Message message{.method = "/m"};
  const std::string frame = Pack(message);
  Feeder at({static_cast<uint32_t>(frame.size()), 4});
  CHECK(at.Feed(frame) == Parse::kMore);
  CHECK(at.count == 1);
  message.body = "x";
  Feeder over({static_cast<uint32_t>(frame.size()), 4});
  CHECK(over.Feed(Pack(message)) == Parse::kBad);
  CHECK(over.reason == CloseReason::kTooLarge);
}

}  // namespace
}  // namespace dmicro
