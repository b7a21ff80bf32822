#include <doctest/doctest.h>

#include "hex.h"
#include "websocket_peer.h"

namespace dmicro {
namespace {

TEST_CASE("headers have the shortest length, as in RFC 6455") {
  struct Case {
    uint64_t size;
    const char* plain;
  };
  for (const Case& one : {Case{0, "8200"}, Case{125, "827d"}, Case{126, "827e007e"}, Case{65535, "827effff"},
                          Case{65536, "827f0000000000010000"}, Case{uint64_t{1} << 40, "827f0000010000000000"}}) {
    CAPTURE(one.size);
    uint8_t out[kMaxWsHeader];
    const uint8_t* end = PackWsHeader(out, WsOpcode::kBinary, one.size, nullptr);
    CHECK(TextOf({out, static_cast<size_t>(end - out)}) == Hex(one.plain));
    CHECK(WsHeaderSize(one.size, false) == static_cast<size_t>(end - out));
    end = PackWsHeader(out, WsOpcode::kBinary, one.size, kTestMask);
    CHECK(WsHeaderSize(one.size, true) == static_cast<size_t>(end - out));
    CHECK((out[1] & 0x80) != 0);
    CHECK(TextOf({end - kWsMask, kWsMask}) == Hex("37fa213d"));
  }
}

TEST_CASE("the examples of RFC 6455 section 5.7 are written byte for byte") {
  CHECK(WsFrame(0x81, "Hello", false) == Hex("810548656c6c6f"));
  CHECK(WsFrame(0x81, "Hello") == Hex("818537fa213d7f9f4d5158"));
  CHECK(WsFrame(0x89, "Hello", false) == Hex("890548656c6c6f"));
}

TEST_CASE("masking moves bytes to the front and is its own inverse, at every size, phase and distance") {
  for (size_t size = 0; size < 100; size++) {
    for (size_t phase = 0; phase < 4; phase++) {
      for (const size_t distance : {0u, 1u, 6u, 14u, 40u}) {
        std::string bytes(distance, '#');
        for (size_t i = 0; i < size; i++) bytes.push_back(static_cast<char>(i * 7));
        Exact memory(bytes);
        ApplyWsMask(memory.data(), memory.data() + distance, size, kTestMask, phase);
        bool right = true;
        for (size_t i = 0; i < size; i++) {
          right = right && memory.data()[i] == static_cast<uint8_t>((i * 7) ^ kTestMask[(phase + i) % 4]);
        }
        CHECK(right);
      }
    }
  }
}

TEST_CASE("close frames carry their code, or none") {
  uint8_t out[kMaxWsHeader + kMaxWsControl];
  CHECK(TextOf({out, static_cast<size_t>(PackWsClose(out, kWsNormal, nullptr) - out)}) == Hex("880203e8"));
  CHECK(TextOf({out, static_cast<size_t>(PackWsClose(out, kWsNoCode, nullptr) - out)}) == Hex("8800"));
  CHECK(TextOf({out, static_cast<size_t>(PackWsClose(out, kWsNormal, kTestMask) - out)}) == Hex("888237fa213d3412"));
}

TEST_CASE("the codes that a peer may send are those of the RFC, the registry and users") {
  for (const uint32_t code : {1000u, 1001u, 1002u, 1003u, 1007u, 1011u, 1012u, 1014u, 3000u, 3999u, 4000u, 4999u}) {
    CHECK(IsWsCloseCode(code));
  }
  for (const uint32_t code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
    CHECK_FALSE(IsWsCloseCode(code));
  }
}

}  // namespace
}  // namespace dmicro
