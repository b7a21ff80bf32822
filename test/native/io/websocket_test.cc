#include <doctest/doctest.h>

#include "adopted.h"
#include "mask_layer.h"
#include "websocket_peer.h"

// Connections that become a WebSocket after their handshake.

namespace dmicro {
namespace {

constexpr std::string_view kHead = "GET / HTTP/1.1\r\n\r\n";

// A connection whose handshake is over; `early` came with its last bytes.
Adopted Open(Home* home, uint32_t flags, Framing framing = Framing::kRaw, std::string_view early = "",
             WireLimits limits = kWire, int buffer = 0) {
  limits.frame.framing = Framing::kPeek;
  Adopted made = Adopt(home, limits, buffer);
  REQUIRE(Put(made.far, std::string(kHead) + std::string(early)) == kHead.size() + early.size());
  REQUIRE(home->Until([&] { return home->journal.Count(kMessage) == 1; }));
  home->journal.events.clear();
  home->reactor.SetFraming(made.slot, made.generation, framing, kHead.size(), flags);
  return made;
}

std::string ReadUntil(Home* home, const OwnedDescriptor& far, const std::function<bool(const std::string&)>& holds) {
  std::string all;
  REQUIRE(home->Until([&] {
    all += TakeBytes(far);
    return holds(all);
  }));
  return all;
}

// The messages that a peer reads out of `bytes`.
std::vector<std::string> Messages(const std::string& bytes, bool masked) {
  WsEcho echo({masked, false, 64 << 20});
  echo.Feed(bytes);
  return echo.answers;
}

TEST_CASE("WebSocket: frames of every size pass in both directions, masked by the client alone") {
  for (const uint32_t flags : {kWsServer, kWsClient, kWsClient | kWsText}) {
    const bool text = (flags & kWsText) != 0;
    const bool client = (flags & kWsClient) != 0;
    Home home;
    Adopted peer = Open(&home, flags);
    for (const size_t size : {size_t{0}, size_t{80}, size_t{300}, size_t{5000}, size_t{300'000}}) {
      if (text && size != 0) break;  // the sizes in larger frames are no text
      const size_t before = home.journal.Count(kMessage);
      const std::string body(size, 'b');
      const std::string bytes = WsFrame(0x82, FrameWith(body), !client);
      size_t put = 0;
      REQUIRE(home.Until([&] {
        put += Put(peer.far, std::string_view(bytes).substr(put));
        return home.journal.Count(kMessage) == before + 1;
      }));
      CHECK(home.journal.events.back().body == body);
      Queue(&home, peer, body);
      const std::string sent =
          ReadUntil(&home, peer.far, [&](const std::string& all) { return all.size() > size + 40; });
      const auto messages = Messages(sent, client);
      REQUIRE(messages.size() == 1);
      CHECK(messages[0].starts_with(text ? "text " : "binary "));
      CHECK(messages[0].ends_with(body));
    }
  }
}

TEST_CASE("WebSocket: what came with the handshake is read as frames, in any chunks") {
  const std::string bytes = WsFrame(0x02, FrameWith("one").substr(0, 9)) + WsFrame(0x89, "ping") +
                            WsFrame(0x80, FrameWith("one").substr(9)) + WsFrame(0x82, FrameWith("two"));
  for (const size_t early : {size_t{0}, size_t{1}, size_t{20}, bytes.size()}) {
    Home home;
    Adopted peer = Open(&home, kWsServer, Framing::kRaw, bytes.substr(0, early));
    for (size_t at = early; at < bytes.size(); at += 3) {
      Put(peer.far, bytes.substr(at, 3));
      home.Until([turns = 0]() mutable { return ++turns > 1; });
    }
    REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 2; }));
    CHECK(home.journal.events.back().body == "two");
    CHECK(ReadUntil(&home, peer.far, [](const std::string& all) { return all.size() >= 6; }) == "\x8a\x04ping");
  }
}

TEST_CASE("WebSocket: whole messages are passed on, however they are cut") {
  const std::string large(500'000, 'l');
  const std::string bytes = WsFrame(0x81, "first") + WsFrame(0x02, "sec") + WsFrame(0x00, "on") + WsFrame(0x80, "d") +
                            WsFrame(0x82, "") + WsFrame(0x82, large) + WsFrame(0x82, std::string(6000, 'm'));
  const std::vector<std::string> expected{"first", "second", "", large, std::string(6000, 'm')};
  for (const size_t chunk : {size_t{1} << 20, size_t{50'000}, size_t{5000}, size_t{7}}) {
    Home home;
    Adopted peer = Open(&home, kWsServer, Framing::kMessage);
    const std::string sent = chunk < 100 ? bytes.substr(0, 60) : bytes;
    size_t put = 0;
    const size_t count = chunk < 100 ? 3 : expected.size();
    REQUIRE(home.Until([&] {
      put += Put(peer.far, std::string_view(sent).substr(put, chunk));
      return home.journal.Count(kMessage) >= count;
    }));
    for (size_t i = 0; i < count; i++) CHECK(home.journal.events[i].body == expected[i]);
  }
}

TEST_CASE("WebSocket: many small messages fill several batches, and none is lost") {
  for (const Framing framing : {Framing::kRaw, Framing::kMessage}) {
    Home home;
    Adopted peer = Open(&home, kWsServer, framing, "", kWire, 1 << 20);
    std::string bytes;
    size_t count = 0;
    for (; count < 20'000; count++) {
      bytes += WsFrame(0x82, framing == Framing::kRaw ? FrameWith(std::to_string(count)) : std::to_string(count));
    }
    size_t put = 0;
    REQUIRE(home.Until([&] {
      put += Put(peer.far, std::string_view(bytes).substr(put));
      return home.journal.Count(kMessage) == count;
    }));
    size_t next = 0;
    for (const Event& event : home.journal.events) {
      if (event.kind == kMessage) REQUIRE(event.body == std::to_string(next++));
    }
  }
}

TEST_CASE("WebSocket: a peer that breaks the protocol is told why, and the connection ends") {
  struct Case {
    std::string bytes;
    uint16_t code;
    CloseReason reason;
  };
  for (const Case& one : {Case{WsFrame(0x82, "x", false), 1002, CloseReason::kMalformed},
                          Case{WsFrame(0x81, "\xff"), 1007, CloseReason::kMalformed},
                          Case{WsFrame(0x82, std::string(2000, 'x')).substr(0, 8), 1009, CloseReason::kTooLarge},
                          Case{WsFrame(0x82, std::string(100, '\0')), 1002, CloseReason::kTooShort}}) {
    Home home;
    WireLimits limits = kWire;
    limits.frame.max_message = 1000;
    Adopted peer = Open(&home, kWsServer, Framing::kRaw, "", limits);
    Put(peer.far, one.bytes);
    const std::string said = ReadUntil(&home, peer.far, [](const std::string& all) { return all.size() >= 4; });
    CHECK(said.substr(0, 2) == "\x88\x02");
    CHECK((static_cast<uint8_t>(said[2]) << 8 | static_cast<uint8_t>(said[3])) == one.code);
    shutdown(peer.far.number(), SHUT_WR);
    REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
    CHECK(home.journal.events.back().seq == static_cast<int32_t>(one.reason));
  }
}

TEST_CASE("WebSocket: a close frame is answered and ends the connection; its code is reported") {
  Home home;
  Adopted peer = Open(&home, kWsServer);
  Put(peer.far, WsFrame(0x82, FrameWith("last")) + WsCloseWith(1001));
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
  CHECK(home.journal.Count(kMessage) == 1);
  CHECK(home.journal.events.back().seq == static_cast<int32_t>(CloseReason::kPeer));
  CHECK(home.journal.events.back().route == 1001);
  CHECK(TakeBytes(peer.far) == std::string("\x88\x02\x03\xe9"));
}

TEST_CASE("WebSocket: our end is a close frame; the server then ends its direction, the client waits for the peer") {
  for (const uint32_t flags : {kWsServer, kWsClient}) {
    Home home;
    Adopted peer = Open(&home, flags);
    Queue(&home, peer, "last");
    home.reactor.End(peer.slot, peer.generation);
    const std::string said = ReadUntil(&home, peer.far, [&](const std::string& all) {
      return all.find(flags == kWsServer ? std::string("\x88\x02\x03\xe8") : std::string("\x88\x82")) !=
             std::string::npos;
    });
    const auto messages = Messages(said, flags == kWsClient);
    REQUIRE(messages.size() == 2);
    CHECK(messages[1] == "close 1000");
    CHECK(home.journal.Count(kClose) == 0);
    shutdown(peer.far.number(), SHUT_WR);
    REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
    CHECK(home.journal.events.back().seq == static_cast<int32_t>(CloseReason::kLocal));
  }
}

TEST_CASE("WebSocket: of the pings of a peer that does not read only the last is answered") {
  Home home;
  Adopted peer = Open(&home, kWsServer, Framing::kRaw, "", kWire, 4096);
  Queue(&home, peer, std::string(400'000, 'x'));  // more than the socket takes
  REQUIRE(home.Until([&] { return home.memory.Unsent(peer.slot) > 0; }));
  for (int i = 0; i < 200; i++) {
    REQUIRE(home.Until([&] { return Put(peer.far, WsFrame(0x89, std::to_string(1000 + i))) != 0; }));
  }
  home.Until([turns = 0]() mutable { return ++turns > 5; });
  CHECK(home.memory.Unsent(peer.slot) < 420'000);
  const std::string all = ReadUntil(&home, peer.far, [](const std::string& bytes) {
    return bytes.find("\x8a\x04") != std::string::npos && bytes.ends_with("1199");
  });
  CHECK(all.find("1100") == std::string::npos);
}

TEST_CASE("WebSocket: pings and pongs are no activity of the peer, messages are") {
  Home home;
  Adopted peer = Open(&home, kWsServer);
  const int32_t before = home.memory.Activity(peer.slot);
  Put(peer.far, WsFrame(0x89, "a") + WsFrame(0x8a, "b"));
  ReadUntil(&home, peer.far, [](const std::string& all) { return all.size() == 3; });
  CHECK(home.memory.Activity(peer.slot) == before);
  Put(peer.far, WsFrame(0x82, FrameWith("x")));
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
  CHECK(home.memory.Activity(peer.slot) != before);
}

TEST_CASE("WebSocket: an unfinished frame is cut off in time, wherever it stopped") {
  const std::string bytes = WsFrame(0x02, FrameWith("x")) + WsFrame(0x80, "");
  for (const size_t cut : {size_t{1}, size_t{5}, size_t{20}, bytes.size() - 1}) {
    Home home;
    WireLimits limits = kWire;
    limits.frame_timeout = 100;  // the handshake has to come within that too, on a busy machine
    Adopted peer = Open(&home, kWsServer, Framing::kMessage, "", limits);
    Put(peer.far, bytes.substr(0, cut));
    REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
    CHECK(home.journal.events.back().seq == static_cast<int32_t>(CloseReason::kFrameTimeout));
  }
}

TEST_CASE("WebSocket: a session destroyed while a batch is read, or in the middle of its bytes, harms nobody") {
  Home home;
  Adopted peer = Open(&home, kWsServer);
  home.journal.on_event = [&](const Event& event) {
    if (event.kind == kMessage && event.body == "3")
      home.reactor.Destroy(peer.slot, peer.generation, CloseReason::kLocal);
  };
  std::string bytes;
  for (int i = 0; i < 100; i++) bytes += WsFrame(0x82, FrameWith(std::to_string(i))) + WsFrame(0x89, "ping");
  Put(peer.far, bytes + WsCloseWith(1000));
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
}

}  // namespace
}  // namespace dmicro
