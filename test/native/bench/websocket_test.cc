#include "protocols/websocket.h"

#include <doctest/doctest.h>

#include "protocols/bare.h"
#include "protocols/raw.h"
#include "wire.h"

namespace dmicro_bench {
namespace {

// A server's frame with a length in its shortest form.
std::string Framed(uint8_t opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  const size_t size = payload.size();
  const size_t extra = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  frame += static_cast<char>(extra == 0 ? size : extra == 2 ? 126 : 127);
  for (size_t i = extra; i > 0; i--) frame += static_cast<char>(size >> (i - 1) * 8);
  return frame.append(payload);
}

// What a client's frame carries, read byte by byte as the RFC says it; empty when its header is wrong.
std::string Unmasked(std::string_view frame, uint8_t opcode) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(frame[at]); };
  if (byte(0) != (0x80 | opcode) || (byte(1) & 0x80) == 0) return "";
  size_t size = byte(1) & 0x7F;
  const size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (extra != 0) size = 0;
  for (size_t i = 0; i < extra; i++) size = size << 8 | byte(2 + i);
  const size_t mask = 2 + extra;
  if (frame.size() != mask + 4 + size) return "";
  if ((extra == 2 && size < 126) || (extra == 8 && size <= 0xFFFF)) return "";
  std::string payload;
  for (size_t i = 0; i < size; i++) payload += static_cast<char>(frame[mask + 4 + i] ^ frame[mask + i % 4]);
  return payload;
}

TEST_CASE("a message of any length is one masked frame, with its length in the shortest form") {
  for (const size_t bytes : {2u, 7u, 8u, 9u, 124u, 125u, 126u, 127u, 128u, 65'535u, 65'536u, 70'000u}) {
    CAPTURE(bytes);
    const std::string call = CallOf(WebSocketOf<Bare>(OptionsOf(bytes)), 3, 37);
    CHECK(Unmasked(call, kTextFrame) == BodyOf(bytes, 3, 37));
  }
}

TEST_CASE("a frame of the raw protocol that needs a shorter header than the longest seq would") {
  // What a CALL has besides body and seq takes the same number of bytes each time.
  const size_t rest = CallOf(Raw(OptionsOf(16)), 0, 1).size() - 16;
  for (size_t bytes = 126 - rest - 8; bytes < 126 - rest + 8; bytes++) {
    for (const int32_t seq : {1, 37, 2'000'000'000}) {
      CAPTURE(bytes);
      CAPTURE(seq);
      const Options options = OptionsOf(bytes);
      CHECK(Unmasked(CallOf(WebSocketOf<Raw>(options), 5, seq), kBinaryFrame) == CallOf(Raw(options), 5, seq));
    }
  }
}

TEST_CASE("the mask is never zero, and differs from call to call") {
  const WebSocketOf<Bare> wire(OptionsOf(64));
  const auto mask = [&](uint32_t connection, int32_t seq) { return CallOf(wire, connection, seq).substr(2, 4); };
  for (int32_t seq = 0; seq < 1'000; seq++) CHECK(mask(0, seq) != std::string(4, '\0'));
  CHECK(mask(0, 1) != mask(0, 2));
  CHECK(mask(0, 1) != mask(2, 1));
}

TEST_CASE("a reply is the whole payload of one frame, of a server that does not mask") {
  const WebSocketOf<Bare> wire(OptionsOf(64));
  const std::string body = BodyOf(64, 0, 5);
  const std::string frame = Framed(kTextFrame, body);
  CHECK(Settle(wire, frame) == "in order");
  for (size_t size = 0; size < frame.size(); size++) CHECK(Settle(wire, frame.substr(0, size)) == "partial");
  WebSocketOf<Bare>::Reply reply{};
  const std::string two = frame + frame;
  REQUIRE(wire.Cut(two, &reply) == Parse::kWhole);
  CHECK(reply.size == frame.size());
  CHECK(wire.IsBody(0, 5, reply));
  CHECK_FALSE(wire.IsBody(0, 6, reply));
}

TEST_CASE("frames that a server may not send are refused") {
  const WebSocketOf<Bare> wire(OptionsOf(64));
  const std::string body = BodyOf(64, 0, 5);
  CHECK(Settle(wire, Framed(9, body)) == "bad");                    // a ping
  CHECK(Settle(wire, Framed(0x40 | kTextFrame, body)) == "bad");    // compressed
  CHECK(Settle(wire, "\x01\x01x") == "bad");                        // a fragment
  CHECK(Settle(wire, "\x81\x81mask?") == "bad");                    // masked
  CHECK(Settle(wire, std::string("\x81\x7e\0\x01x", 5)) == "bad");  // a length that is too long
  CHECK(Settle(wire, std::string("\x81\x7f\0\0\0\0\0\0\xff\xff", 10)) == "bad");
  CHECK(Settle(wire, "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff") == "bad");  // more than any reply has
}

TEST_CASE("a frame holds one message of the raw protocol, neither half of one nor two") {
  const Options options = OptionsOf(16);
  std::string reply =
      Replaced(CallOf(Raw(options), 0, 37), std::string("\x01\x0b/bench/echo"), std::string("\x02\0", 2));
  StoreBe32(reply.data(), static_cast<uint32_t>(reply.size()));
  const WebSocketOf<Raw> wire(options);
  CHECK(Settle(wire, Framed(kBinaryFrame, reply)) == "37");
  CHECK(Settle(wire, Framed(kBinaryFrame, reply), 1) == "wrong body");
  CHECK(Settle(wire, Framed(kBinaryFrame, reply + reply)) == "bad");
  CHECK(Settle(wire, Framed(kBinaryFrame, reply.substr(0, reply.size() - 1))) == "bad");
}

}  // namespace
}  // namespace dmicro_bench
