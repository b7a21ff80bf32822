#include "wire/framer.h"

#include <doctest/doctest.h>

#include "feeder.h"
#include "hex.h"

namespace dmicro {
namespace {

// Bytes of several kinds of frames, and the messages in them.
struct Stream {
  std::string bytes;
  std::vector<Message> messages;

  void Add(const Message& message) {
    bytes += Pack(message);
    messages.push_back(message);
  }
};

Stream MixedStream() {
  Stream stream;
  stream.Add({.method = "/math/add", .meta = R"({"author":"osgochina"})", .body = "[1,2,3]"});
  stream.Add({.type = 2, .status = R"({"code":404,"msg":"Not Found","cause":""})", .codec = 0});
  stream.bytes += Hex("0000000f 01 00 01 32 03 00 0000 0000 73");  // the smallest frame
  stream.messages.push_back({.seq = 2, .type = kTypePush, .codec = 's'});
  stream.Add({.seq = -2147483647 - 1, .type = kTypePush, .method = "/chat/say", .codec = 's', .body = "hi"});
  return stream;
}

std::string MinimalFrame(uint8_t codec = 0) {
  return Hex("0000000f 01 00 01 31 01 00 0000 0000") + static_cast<char>(codec);
}

// A frame of exactly `size` bytes.
Message OfSize(size_t size) {
  Message message{.method = "/m"};
  message.body.resize(size - Pack(message).size());
  for (size_t i = 0; i < message.body.size(); i++) message.body[i] = static_cast<char>(i * 7);
  return message;
}

TEST_CASE("a frame that arrives whole is delivered in place") {
  Feeder feeder;
  const Stream stream = MixedStream();
  CHECK(feeder.Feed(stream.bytes) == Parse::kMore);
  CHECK(feeder.messages == stream.messages);
  CHECK(feeder.in_scratch == std::vector<bool>(4, true));
  CHECK(feeder.framer.held() == 0);
}

TEST_CASE("a stream cut at any two points gives the same messages") {
  const Stream stream = MixedStream();
  for (size_t first = 0; first <= stream.bytes.size(); first++) {
    for (size_t second = first; second <= stream.bytes.size(); second++) {
      Feeder feeder;
      feeder.Feed(stream.bytes.substr(0, first));
      feeder.Feed(stream.bytes.substr(first, second - first));
      feeder.Feed(stream.bytes.substr(second));
      CAPTURE(first);
      CAPTURE(second);
      REQUIRE(feeder.messages == stream.messages);
      REQUIRE(feeder.framer.held() == 0);
    }
  }
}

TEST_CASE("every frame up to 512 bytes, cut at every byte, gives the same message") {
  for (size_t size = Pack({.method = "/m"}).size(); size <= 512; size++) {
    const Message message = OfSize(size);
    const std::string frame = Pack(message);
    for (size_t cut = 1; cut < size; cut++) {
      Feeder feeder;
      feeder.Feed(frame.substr(0, cut));
      REQUIRE(feeder.count == 0);
      REQUIRE(feeder.framer.held() == cut);
      feeder.Feed(frame.substr(cut));
      REQUIRE(feeder.messages == std::vector{message});
    }
  }
}

TEST_CASE("one byte at a time, each message comes with its last byte") {
  const Stream stream = MixedStream();
  Feeder feeder;
  size_t unfinished = 0;
  for (const char& byte : stream.bytes) {
    const size_t before = feeder.count;
    feeder.Feed({&byte, 1});
    unfinished = feeder.count == before ? unfinished + 1 : 0;
    REQUIRE(feeder.framer.held() == unfinished);
  }
  CHECK(feeder.messages == stream.messages);
}

TEST_CASE("100,000 of the smallest frames in one read come in order") {
  constexpr size_t kFrames = 100'000;
  std::string bytes;
  for (size_t i = 0; i < kFrames; i++) bytes += MinimalFrame(static_cast<uint8_t>(i % 251));
  Feeder feeder(kLimits, 2 * 1024 * 1024);
  CHECK(feeder.Read(bytes) == bytes.size());
  REQUIRE(feeder.count == kFrames);
  for (size_t i = 0; i < kFrames; i++) REQUIRE(feeder.messages[i].codec == i % 251);
}

TEST_CASE("frames around the sizes where the framer switches memory arrive in chunks of any size") {
  for (const size_t near : {4096u, 8192u, 16384u, 20480u, 32768u}) {
    for (const size_t size : {near - 7u, near - 6u, near - 1u, near, near + 1u, near + 5u, near + 6u, near + 7u}) {
      const Message message = OfSize(size);
      const std::string bytes = Pack(message) + MinimalFrame() + Pack(message);
      for (const size_t chunk : {1u, 5u, 6u, 7u, 4090u, 4095u, 4096u, 4097u, 8191u, 8193u, 100'000u}) {
        CAPTURE(size);
        CAPTURE(chunk);
        Feeder feeder;
        feeder.Feed(bytes, chunk);
        REQUIRE(feeder.messages == std::vector{message, Message{.codec = 0}, message});
        REQUIRE(feeder.framer.held() == 0);
      }
    }
  }
}

TEST_CASE("a frame larger than the scratch is put together in the framer's memory") {
  const Message large = OfSize(1 << 20);
  Feeder feeder;
  feeder.Feed(Pack(large) + MinimalFrame());
  CHECK(feeder.messages == std::vector{large, Message{.codec = 0}});
  CHECK(feeder.in_scratch == std::vector{false, true});
}

TEST_CASE("the frame a caller released is its own, and the framer goes on") {
  const Message large = OfSize(100'000);
  Feeder feeder;
  feeder.release = true;
  for (int i = 0; i < 3; i++) feeder.Feed(Pack(large) + MinimalFrame(), 5000);
  CHECK(feeder.messages == std::vector{large, {.codec = 0}, large, {.codec = 0}, large, {.codec = 0}});
  CHECK(feeder.framer.held() == 0);
}

TEST_CASE("a released frame stays readable after the framer is gone") {
  const std::string bytes = Pack(OfSize(50'000));
  uint8_t* released = nullptr;
  {
    Framer framer;
    Exact scratch(std::string(Framer::kMinScratch, '\0'));
    CloseReason reason;
    for (std::string_view rest = bytes; !rest.empty();) {
      const Framer::Space space = framer.Reserve({scratch.data(), Framer::kMinScratch});
      const size_t n = std::min(space.size, rest.size());
      std::memcpy(space.data, rest.data(), n);
      rest.remove_prefix(n);
      framer.Commit(n, kLimits, &reason, [&](const RawMessage&, Bytes, bool) {
        released = framer.Release();
        return true;
      });
    }
  }
  REQUIRE(released != nullptr);
  CHECK(TextOf({released, bytes.size()}) == bytes);
  std::free(released);
}

TEST_CASE("an empty read changes nothing, in scratch or not") {
  for (const size_t size : {50u, 50'000u}) {
    const Message message = OfSize(size);
    const std::string frame = Pack(message);
    Feeder feeder;
    for (size_t at = 0; at < frame.size(); at += 10) {
      REQUIRE(feeder.Read("") == 0);
      feeder.Feed(frame.substr(at, 10));
    }
    CHECK(feeder.messages == std::vector{message});
  }
}

TEST_CASE("false from on_frame stops: what follows is dropped") {
  const Stream stream = MixedStream();
  for (size_t stop_after = 1; stop_after <= stream.messages.size(); stop_after++) {
    Feeder feeder;
    feeder.stop_after = stop_after;
    CHECK(feeder.Feed(stream.bytes + Hex("ffffffff")) == Parse::kMore);
    CHECK(feeder.count == stop_after);
    CHECK(feeder.framer.held() == 0);
  }
}

TEST_CASE("false from on_frame for a frame that is not in scratch leaves nothing held") {
  Feeder feeder;
  feeder.stop_after = 1;
  feeder.Feed(Pack(OfSize(50'000)) + MinimalFrame());
  CHECK(feeder.count == 1);
  CHECK(feeder.framer.held() == 0);
}

TEST_CASE("two framers can read into the same scratch in turn") {
  Exact scratch(std::string(Framer::kMinScratch, '\0'));
  const Stream stream = MixedStream();
  Framer framers[2];
  std::vector<Message> messages[2];
  for (const char& byte : stream.bytes) {
    for (const int which : {0, 1}) {
      CloseReason reason;
      const Framer::Space space = framers[which].Reserve({scratch.data(), Framer::kMinScratch});
      std::memcpy(space.data, &byte, 1);
      framers[which].Commit(1, kLimits, &reason, [&](const RawMessage& message, Bytes, bool) {
        messages[which].push_back(Own(message));
        return true;
      });
    }
  }
  CHECK(messages[0] == stream.messages);
  CHECK(messages[1] == stream.messages);
}

}  // namespace
}  // namespace dmicro
