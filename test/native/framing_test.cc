#include <doctest/doctest.h>

#include "feeder.h"
#include "hex.h"
#include "memory_count.h"

// Framings that do not split bytes into frames, and what becomes of bytes that were peeked at.

namespace dmicro {
namespace {

const std::string kRaw = Hex("0000000f 01 00 01 31 01 00 0000 0000 6a");
const std::string kEnvelope = Hex("00000003 00 6869");

FrameLimits With(Framing framing) { return {1000, 4, framing}; }

Message Whole(const std::string& bytes) { return {.seq = 0, .type = kTypeUnparsed, .codec = 0, .body = bytes}; }

TEST_CASE("stream: each read is delivered at once, and no bytes are held") {
  const std::string bytes = "GET / HTTP/1.1\r\n\r\n" + Hex("00 ff 00000000");
  for (size_t chunk = 1; chunk <= bytes.size(); chunk++) {
    Feeder feeder(With(Framing::kStream));
    CHECK(feeder.Feed(bytes, chunk) == Parse::kMore);
    std::string all;
    for (const Message& message : feeder.messages) {
      CHECK(message.type == kTypeUnparsed);
      CHECK(message.body.size() <= chunk);
      all += message.body;
    }
    CHECK(all == bytes);
    CHECK(feeder.framer.held() == 0);
  }
}

TEST_CASE("stream: no length is a length, no read takes memory, an empty read is no message" *
          doctest::skip(!kCountsMemory)) {
  Feeder feeder(With(Framing::kStream));
  feeder.keep = false;
  const MemoryCount memory;
  for (const char* bytes : {"00000000", "7fffffff", "80000000", "ffffffff"}) feeder.Feed(Hex(bytes));
  feeder.Read("");
  CHECK(feeder.count == 4);
  feeder.Feed(std::string(100'000, 'x'), 4096);
  CHECK(memory.calls() <= 5);  // the strings of the test itself
  CHECK(memory.live() < 4096);
}

TEST_CASE("peek: each delivery has all bytes that came") {
  const std::string bytes = "SSH-2.0-OpenSSH\r\n";
  Feeder feeder(With(Framing::kPeek));
  for (size_t at = 0; at < bytes.size(); at++) {
    feeder.Feed(bytes.substr(at, 1));
    REQUIRE(feeder.messages.back() == Whole(bytes.substr(0, at + 1)));
    REQUIRE(feeder.framer.held() == at + 1);
  }
  CHECK(feeder.count == bytes.size());
}

TEST_CASE("peek: holds as many bytes as came, up to the most that may be peeked at" * doctest::skip(!kCountsMemory)) {
  Feeder feeder(With(Framing::kPeek));
  feeder.keep = false;
  const MemoryCount memory;
  const std::string byte(1, '\xff');
  for (size_t size = 1; size <= Framer::kMaxPeek; size++) {
    feeder.Feed(byte);
    REQUIRE(memory.live() == size);
  }
}

// Peeks at `stream` in pieces of `chunk` until `peeked` bytes came, then parses it with `framing`; the rest comes in
// pieces as well.
struct Outcome {
  std::vector<Message> messages;
  Parse parse;
  CloseReason reason;
  size_t held;
};

Outcome AfterPeek(const std::string& stream, size_t peeked, size_t chunk, Framing framing) {
  Framer framer;
  Exact scratch(std::string(Framer::kMinScratch, '\xa5'));
  FrameLimits limits = With(Framing::kPeek);
  Outcome outcome{{}, Parse::kMore, CloseReason::kLocal, 0};
  const auto commit = [&](std::string_view bytes) {
    const Framer::Space space = framer.Reserve({scratch.data(), Framer::kMinScratch});
    Require(space.size >= bytes.size(), "room for what was peeked at and more");
    if (!bytes.empty()) std::memcpy(space.data, bytes.data(), bytes.size());
    outcome.parse = framer.Commit(bytes.size(), limits, &outcome.reason, [&](const RawMessage& message, Bytes, bool) {
      if (limits.framing != Framing::kPeek) outcome.messages.push_back(Own(message));
      return true;
    });
    std::memset(scratch.data(), 0xa5, Framer::kMinScratch);
  };
  size_t at = 0;
  for (; at < peeked; at += std::min(chunk, peeked - at))
    commit(std::string_view(stream).substr(at, std::min(chunk, peeked - at)));
  limits = With(framing);
  commit("");
  for (; at < stream.size() && outcome.parse == Parse::kMore; at += chunk)
    commit(std::string_view(stream).substr(at, chunk));
  outcome.held = framer.held();
  return outcome;
}

TEST_CASE("after a peek, frames are delivered as without one: whole, partial, several, bad") {
  struct Case {
    Framing framing;
    std::string frame;
  };
  for (const Case& with : {Case{Framing::kRaw, kRaw}, Case{Framing::kEnvelope, kEnvelope}}) {
    const std::string stream = with.frame + with.frame + with.frame + with.frame.substr(0, 6);
    Feeder straight(With(with.framing));
    straight.Feed(stream);
    REQUIRE(straight.count == 3);
    for (size_t peeked = 0; peeked <= stream.size(); peeked++) {
      for (const size_t chunk : {1u, 2u, 5u, 16u, 100u}) {
        CAPTURE(peeked);
        CAPTURE(chunk);
        const Outcome outcome = AfterPeek(stream, peeked, chunk, with.framing);
        REQUIRE(outcome.parse == Parse::kMore);
        REQUIRE(outcome.messages == straight.messages);
        REQUIRE(outcome.held == 6);
        const std::string broken = with.frame + Hex("00000000") + with.frame;
        const Outcome bad = AfterPeek(broken, std::min(peeked, broken.size()), chunk, with.framing);
        REQUIRE(bad.parse == Parse::kBad);
        REQUIRE(bad.reason == CloseReason::kTooShort);
        REQUIRE(bad.messages.size() == 1);
      }
    }
  }
}

TEST_CASE("after a peek, a stream gets all bytes once, those that were shown first") {
  const std::string stream = "GET / HTTP/1.1\r\n\r\n";
  for (size_t peeked = 0; peeked <= stream.size(); peeked++) {
    const Outcome outcome = AfterPeek(stream, peeked, 3, Framing::kStream);
    std::string all;
    for (const Message& message : outcome.messages) all += message.body;
    REQUIRE(all == stream);
    REQUIRE(outcome.held == 0);
    if (peeked != 0) REQUIRE(outcome.messages[0].body == stream.substr(0, peeked));
  }
}

TEST_CASE("after a peek, a frame longer than what may be peeked at is put together") {
  const std::string large = Hex("000003d0 00") + std::string(0x3cf, 'x');
  const Outcome outcome = AfterPeek(large + large + large, Framer::kMaxPeek, 700, Framing::kEnvelope);
  CHECK(outcome.messages == std::vector{Whole(large), Whole(large), Whole(large)});
}

TEST_CASE("a connection closed while peeked at leaves no memory behind" * doctest::skip(!kCountsMemory)) {
  const MemoryCount memory;
  {
    Feeder feeder(With(Framing::kPeek));
    feeder.keep = false;
    feeder.Feed(std::string(1000, 'x'), 100);
    CHECK(memory.live() >= 1000);
  }
  CHECK(memory.live() == 0);
}

}  // namespace
}  // namespace dmicro
