#include <doctest/doctest.h>

#include "hex.h"
#include "websocket_peer.h"

// The cases of the Autobahn test suite against an echo server, by number. Its cases 7.13.* only record what a server
// does with codes that the RFC leaves open; here they are protocol errors. Cases 8.* and 10.* are empty or of its own
// plumbing; 9.* and 12.*, 13.* send the same message a thousand times: here a few times, since the reader keeps nothing
// from message to message. What 12.* and 13.* compress is opaque to this layer (RSV1): test/e2e/websocket.test.ts runs
// them with zlib.

namespace dmicro {
namespace {

using Answers = std::vector<std::string>;

constexpr size_t kChunks[] = {SIZE_MAX, 1, 3, 997};

// Sends `bytes` whole and in chunks.
void Case(const char* number, const std::string& bytes, const Answers& expected) {
  CAPTURE(number);
  for (const size_t chunk : kChunks) {
    if (chunk < 4 && bytes.size() > 100'000) continue;
    CAPTURE(chunk);
    WsEcho echo;
    echo.Feed(bytes, chunk);
    CHECK(echo.answers == expected);
    CHECK(echo.most <= echo.limits.max_message);
  }
}

std::string Ping(std::string_view payload) { return WsFrame(0x89, payload); }

TEST_CASE("Autobahn 1.*: text and binary messages of every size") {
  const size_t sizes[] = {0, 125, 126, 127, 128, 65535, 65536};
  for (const size_t size : sizes) {
    const std::string text(size, '*');
    const std::string binary(size, '\xfe');
    Case("1.1.1-7", WsText(text), {"text " + text});
    Case("1.2.1-7", WsFrame(0x82, binary), {"binary " + binary});
  }
  Case("1.1.8, 1.2.8", WsText(std::string(65536, '*')), {"text " + std::string(65536, '*')});
}

TEST_CASE("Autobahn 2.*: pings and pongs") {
  Case("2.1", Ping(""), {"pong "});
  Case("2.2", Ping("Hello, world!"), {"pong Hello, world!"});
  Case("2.3", Ping(Hex("00fffefdfcfb00ff")), {"pong " + Hex("00fffefdfcfb00ff")});
  Case("2.4, 2.6", Ping(std::string(125, '\xfe')), {"pong " + std::string(125, '\xfe')});
  Case("2.5", Ping(std::string(126, '\xfe')), {"fail 1002"});
  Case("2.7, 2.8", WsFrame(0x8a, "") + WsFrame(0x8a, "unsolicited"), {});
  Case("2.9", WsFrame(0x8a, "unsolicited") + Ping("ping"), {"pong ping"});
  std::string ten;
  Answers pongs;
  for (int i = 0; i < 10; i++) {
    ten += Ping("payload " + std::to_string(i));
    pongs.push_back("pong payload " + std::to_string(i));
  }
  Case("2.10, 2.11", ten, pongs);
}

TEST_CASE("Autobahn 3.*: reserved bits") {
  Case("3.1", WsFrame(0xc1, "Hello, world!"), {"fail 1002"});
  Case("3.2", WsText("a") + WsFrame(0xa1, "b") + Ping(""), {"text a", "fail 1002"});
  Case("3.3", WsText("a") + WsFrame(0xb1, "b") + Ping(""), {"text a", "fail 1002"});
  Case("3.4", WsText("a") + WsFrame(0xc1, "b") + Ping(""), {"text a", "fail 1002"});
  Case("3.5", WsFrame(0xd2, std::string(8, '\xff')), {"fail 1002"});
  Case("3.6", WsFrame(0xe9, "Hello, world!"), {"fail 1002"});
  Case("3.7", WsFrame(0xf8, ""), {"fail 1002"});
}

TEST_CASE("Autobahn 4.*: reserved opcodes") {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    const uint8_t first = static_cast<uint8_t>(0x80 | opcode);
    Case("4.1.1, 4.2.1", WsFrame(first, ""), {"fail 1002"});
    Case("4.1.2, 4.2.2", WsFrame(first, "reserved"), {"fail 1002"});
    Case("4.1.3-5, 4.2.3-5", WsText("a") + WsFrame(first, "x") + Ping(""), {"text a", "fail 1002"});
  }
}

TEST_CASE("Autobahn 5.*: fragments") {
  const std::string first = WsFrame(0x01, "fragment1");
  const std::string middle = WsFrame(0x00, "fragment2");
  const std::string last = WsFrame(0x80, "fragment2");
  const Answers echoed{"text fragment1fragment2"};
  Case("5.1", WsFrame(0x09, "fragment1") + WsFrame(0x80, "fragment2"), {"fail 1002"});
  Case("5.2", WsFrame(0x0a, "fragment1") + WsFrame(0x80, "fragment2"), {"fail 1002"});
  Case("5.3-5", first + last, echoed);
  Case("5.6-8", first + Ping("ping") + last, {"pong ping", "text fragment1fragment2"});
  Case("5.9, 5.10", WsFrame(0x80, "non-continuation") + WsText("Hello, world!"), {"fail 1002"});
  Case("5.11", WsFrame(0x80, "non-continuation"), {"fail 1002"});
  Case("5.12-14", WsFrame(0x00, "non-continuation") + WsText("Hello, world!"), {"fail 1002"});
  Case("5.15", first + last + WsFrame(0x00, "x") + WsText("y"), {"text fragment1fragment2", "fail 1002"});
  Case("5.16", WsFrame(0x00, "fragment1") + WsFrame(0x01, "fragment2") + WsFrame(0x80, "fragment3"), {"fail 1002"});
  Case("5.17", WsFrame(0x80, "fragment1") + WsFrame(0x01, "fragment2") + WsFrame(0x80, "fragment3"), {"fail 1002"});
  Case("5.18", first + WsText("fragment2"), {"fail 1002"});
  Case("5.19, 5.20",
       first + middle + Ping("pongme 1!") + WsFrame(0x00, "fragment3") + WsFrame(0x00, "fragment4") +
           Ping("pongme 2!") + WsFrame(0x80, "fragment5"),
       {"pong pongme 1!", "pong pongme 2!", "text fragment1fragment2fragment3fragment4fragment5"});
}

TEST_CASE("Autobahn 6.*: UTF-8") {
  const std::string hello = "Hello-" + Hex("c2b540c39fc3b6c3a4c3bcc3a0c3a1") + "-UTF-8!!";
  Case("6.1.1", WsText(""), {"text "});
  Case("6.1.2", WsFrame(0x01, "") + WsFrame(0x00, "") + WsFrame(0x80, ""), {"text "});
  Case("6.1.3", WsFrame(0x01, "") + WsFrame(0x00, "middle") + WsFrame(0x80, ""), {"text middle"});
  Case("6.2.1", WsText(hello), {"text " + hello});
  Case("6.2.2", WsFrame(0x01, hello.substr(0, 12)) + WsFrame(0x80, hello.substr(12)), {"text " + hello});
  std::string bytewise;
  for (size_t i = 0; i < hello.size(); i++) {
    bytewise +=
        WsFrame(static_cast<uint8_t>((i == 0 ? 1 : 0) | (i + 1 == hello.size() ? 0x80 : 0)), hello.substr(i, 1));
  }
  Case("6.2.3", bytewise, {"text " + hello});
  Case("6.2.4", WsText(Hex("cebae1bdb9cf83cebcceb5")), {"text " + Hex("cebae1bdb9cf83cebcceb5")});
  const std::string bad = Hex("cebae1bdb9cf83cebcceb5eda080656469746564");
  Case("6.3.1", WsText(bad), {"fail 1007"});
  Case("6.3.2", WsFrame(0x01, bad.substr(0, 12)) + WsFrame(0x80, bad.substr(12)), {"fail 1007"});
  // 6.4.*: refused as soon as the byte is there, before the message ends.
  const std::string start = Hex("cebae1bdb9cf83cebcceb5");
  Case("6.4.1", WsFrame(0x01, start) + WsFrame(0x00, Hex("f4908080")), {"fail 1007"});
  Case("6.4.2", WsFrame(0x01, start + Hex("f4")) + WsFrame(0x00, Hex("90")), {"fail 1007"});
  Case("6.4.3", WsText(start + Hex("f490")).substr(0, 6 + start.size() + 2), {"fail 1007"});
  Case("6.4.4", WsFrame(0x81, start + Hex("f4908080656469746564")).substr(0, 6 + start.size() + 2), {"fail 1007"});
  for (const char* valid :
       {"cebae1bdb9cf83cebcceb5", "00", "c280", "e0a080", "f0908080", "7f", "dfbf", "efbfbf", "f48fbfbf", "ed9fbf",
        "ee8080", "efbfbd", "efbfbe", "f0bfbfbf", "f09fbfbe", "c3a8", "f4808080"}) {
    Case("6.5-6.23 valid", WsText(Hex(valid)), {"text " + Hex(valid)});
  }
  for (const char* invalid :
       {"ce",           "cebae1",      "cebae1bd", "f888808080", "fc8480808080", "f7bfbfbf", "fbbfbfbfbf",
        "fdbfbfbfbfbf", "f4908080",    "80",       "bf",         "80bf",         "80bf80",   "80bf80bf80bfc0",
        "c020c120",     "e020e120",    "f020f120", "c0",         "e080",         "f08080",   "f8808080",
        "df",           "efbf",        "f7bfbf",   "fe",         "ff",           "fefeffff", "c0af",
        "e080af",       "f08080af",    "c1bf",     "e09fbf",     "f08fbfbf",     "c080",     "e08080",
        "f0808080",     "eda080",      "edadbf",   "edae80",     "edafbf",       "edb080",   "edbe80",
        "edbfbf",       "eda080edb080"}) {
    Case("6.6-6.21 invalid", WsText(Hex(invalid)), {"fail 1007"});
  }
}

TEST_CASE("Autobahn 7.*: closing") {
  Case("7.1.1", WsText("Hello World!") + WsCloseWith(1000), {"text Hello World!", "close 1000"});
  Case("7.1.2, 7.1.3", WsCloseWith(1000) + WsCloseWith(1000) + Ping("x"), {"close 1000"});
  Case("7.1.4", WsCloseWith(1000) + WsText("after close"), {"close 1000"});
  Case("7.1.5", WsFrame(0x01, "fragment1") + WsCloseWith(1000) + WsFrame(0x80, "fragment2"), {"close 1000"});
  Case("7.1.6", WsText(std::string(262'144, 'B')) + WsText("Hello World!") + WsCloseWith(1000) + Ping(""),
       {"text " + std::string(262'144, 'B'), "text Hello World!", "close 1000"});
  Case("7.3.1", WsFrame(0x88, ""), {"close 1005"});
  Case("7.3.2", WsFrame(0x88, "a"), {"fail 1002"});
  Case("7.3.3, 7.3.4", WsCloseWith(1000, "Hello World!"), {"close 1000"});
  Case("7.3.5", WsCloseWith(1000, std::string(123, '*')), {"close 1000"});
  Case("7.3.6", WsCloseWith(1000, std::string(124, '*')), {"fail 1002"});
  Case("7.5.1", WsCloseWith(1000, Hex("cebae1bdb9cf83cebcceb5eda080656469746564")), {"fail 1007"});
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999}) {
    Case("7.7.*", WsCloseWith(static_cast<uint16_t>(code)), {"close " + std::to_string(code)});
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999}) {
    Case("7.9.*", WsCloseWith(static_cast<uint16_t>(code)), {"fail 1002"});
  }
  Case("7.13.1", WsCloseWith(5000), {"fail 1002"});
  Case("7.13.2", WsCloseWith(65535), {"fail 1002"});
}

TEST_CASE("Autobahn 9.*: large messages, whole and in fragments, in chunks of any size") {
  for (const size_t size : {size_t{1} << 16, size_t{1} << 18, size_t{1} << 20, size_t{1} << 22, size_t{1} << 24}) {
    const std::string payload(size, '*');
    Case("9.1", WsText(payload), {"text " + payload});
    Case("9.2", WsFrame(0x82, payload), {"binary " + payload});
  }
  const std::string payload(size_t{1} << 22, '*');
  for (const size_t part : {size_t{64}, size_t{1024}, size_t{65'536}, payload.size()}) {
    std::string fragments;
    for (size_t at = 0; at < payload.size(); at += part) {
      const bool final = at + part >= payload.size();
      fragments += WsFrame(static_cast<uint8_t>((at == 0 ? 1 : 0) | (final ? 0x80 : 0)),
                           std::string_view(payload).substr(at, part));
    }
    Case("9.3, 9.4", fragments, {"text " + payload});
  }
  for (const size_t chunk : {64u, 128u, 256u, 512u, 1024u, 2048u}) {
    WsEcho echo;
    echo.Feed(WsText(std::string(1 << 20, '*')), chunk);
    CHECK_MESSAGE(echo.answers == Answers{"text " + std::string(1 << 20, '*')}, "9.5, 9.6");
  }
  for (const size_t size : {0u, 16u, 64u, 256u, 1024u, 4096u}) {
    std::string many;
    for (int i = 0; i < 20; i++) many += WsText(std::string(size, '*'));
    Case("9.7, 9.8", many, Answers(20, "text " + std::string(size, '*')));
  }
}

TEST_CASE("Autobahn 12.*, 13.*: compressed messages are passed on as they are, with their mark") {
  for (const size_t size : {1u, 16u, 64u, 256u, 1024u, 4096u, 8192u, 16'384u, 32'768u, 65'536u, 131'072u}) {
    WsEcho echo({true, true, 1 << 20});
    const std::string deflated(size, '\xaa');  // no UTF-8: text is checked after it is inflated
    echo.Feed(WsFrame(0xc1, deflated) + WsFrame(0x41, deflated.substr(0, size / 2)) +
              WsFrame(0x80, deflated.substr(size / 2)));
    CHECK(echo.answers == Answers{"text " + deflated, "text " + deflated});
    CHECK(echo.reader.compressed());
  }
}

}  // namespace
}  // namespace dmicro
