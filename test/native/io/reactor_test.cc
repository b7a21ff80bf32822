#include <doctest/doctest.h>

#include "adopted.h"

// A reactor in its reader's own thread.

namespace dmicro {
namespace {

WireLimits Peeking() {
  WireLimits limits = kWire;
  limits.frame.framing = Framing::kPeek;
  return limits;
}

TEST_CASE("reactor: dials a listener of its own, and frames pass") {
  Home home;
  const int32_t id = home.reactor.Listen({false, "127.0.0.1", 0}, {16, false, 3, {}, kWire});
  REQUIRE(id >= 0);
  const std::string address = LocalAddress(home.reactor.FindListener(id)->uv());
  const int port = std::stoi(address.substr(address.find(':') + 1));
  int32_t generation = -1;
  const int32_t slot = home.reactor.Dial({false, "127.0.0.1", port}, kWire, &generation);
  REQUIRE(slot >= 0);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1 && home.journal.Count(kConnect) == 1; }));
  const Event* const connect = home.journal.Find(kConnect, slot);
  REQUIRE(connect != nullptr);
  CHECK(connect->name == address);
  for (const Event& event : home.journal.events) {
    if (event.kind == kAccept) CHECK(event.name == connect->meta);
  }
  Queue(&home, {OwnedDescriptor(), slot, generation}, "hello");
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
  CHECK(home.journal.events.back().body == "hello");
  home.reactor.Destroy(slot, generation, CloseReason::kLocal);
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 2; }));
}

TEST_CASE("reactor: a reader that runs the loop itself loses nothing and reads nothing twice") {
  Home home;
  Adopted one = Adopt(&home), two = Adopt(&home);
  std::vector<std::string> bodies;
  bool turned = false;
  home.journal.on_event = [&](const Event& event) {
    if (event.kind != kMessage) return;
    if (!std::exchange(turned, true)) {
      // While this batch is read the other connection sends, in two parts, and this one closes.
      const std::string second = FrameWith(std::string(500, 's'), 2);
      for (const std::string_view part :
           {std::string_view(second).substr(0, 10), std::string_view(second).substr(10)}) {
        REQUIRE(Put(two.far, part) == part.size());
        for (int i = 0; i < 5; i++) uv_run(&home.loop, UV_RUN_NOWAIT);
      }
      home.reactor.Destroy(one.slot, one.generation, CloseReason::kLocal);
      for (int i = 0; i < 5; i++) uv_run(&home.loop, UV_RUN_NOWAIT);
    }
    bodies.push_back(event.body);
  };
  std::string several;
  for (int i = 0; i < 3; i++) several += FrameWith("first " + std::to_string(i));
  REQUIRE(Put(one.far, several) == several.size());
  REQUIRE(home.Until([&] { return bodies.size() == 4 && home.journal.Count(kClose) == 1; }));
  CHECK(bodies == std::vector<std::string>{"first 0", "first 1", "first 2", std::string(500, 's')});
}

TEST_CASE("reactor: connections whose share of a turn was used up are read again on a loop with no other events") {
  Home home;
  Adopted peer = Adopt(&home, kWire, 1 << 20);
  // More messages than a batch holds come in one read, and then no event of the system.
  std::string flood;
  while (flood.size() + 40 < 200 * 1024) flood += FrameWith("x");
  const size_t sent = flood.size() / FrameWith("x").size();
  REQUIRE(Put(peer.far, flood) == flood.size());
  while (home.journal.Count(kMessage) < sent) REQUIRE(uv_run(&home.loop, UV_RUN_ONCE) != 0);
  const std::string last = FrameWith("last");
  REQUIRE(Put(peer.far, last) == last.size());
  while (home.journal.Count(kMessage) < sent + 1) REQUIRE(uv_run(&home.loop, UV_RUN_ONCE) != 0);
}

TEST_CASE("reactor: a pause that begins while the first bytes are peeked at lasts after the framing is set") {
  Home home;
  Adopted peer = Adopt(&home, Peeking());
  const std::string first = FrameWith("first"), second = FrameWith("second");
  REQUIRE(Put(peer.far, first) == first.size());
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));  // the bytes that are peeked at
  home.reactor.PauseReading(peer.slot, peer.generation);
  home.reactor.SetFraming(peer.slot, peer.generation, Framing::kRaw);
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 2; }));  // the first frame was read before the pause
  CHECK(home.journal.events.back().body == "first");
  REQUIRE(Put(peer.far, second) == second.size());
  home.Until([turns = 0]() mutable { return ++turns > 5; });
  CHECK(home.journal.Count(kMessage) == 2);
  home.reactor.ResumeReading(peer.slot, peer.generation);
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 3; }));
  CHECK(home.journal.events.back().body == "second");
}

TEST_CASE("reactor: asking for more first bytes than may be peeked at closes the connection") {
  Home home;
  Adopted peer = Adopt(&home, Peeking());
  home.journal.on_event = [&](const Event& event) {
    if (event.kind == kMessage) home.reactor.SetFraming(peer.slot, peer.generation, Framing::kPeek);
  };
  const std::string bytes(Framer::kMaxPeek + 100, 'x');
  REQUIRE(Put(peer.far, bytes) == bytes.size());
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
  CHECK(home.journal.events.back().seq == static_cast<int32_t>(CloseReason::kProtocol));
}

TEST_CASE(
    "reactor: a connection that is ended while all the bytes are held that may be peeked at sees the peer's FIN") {
  Home home;
  Adopted peer = Adopt(&home, Peeking());
  const std::string bytes(Framer::kMaxPeek + 100, 'x');
  REQUIRE(Put(peer.far, bytes) == bytes.size());
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
  home.reactor.End(peer.slot, peer.generation);
  home.reactor.SetFraming(peer.slot, peer.generation, Framing::kPeek);
  REQUIRE(Put(peer.far, bytes) == bytes.size());
  peer.far = OwnedDescriptor();
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
  CHECK(home.journal.events.back().seq == static_cast<int32_t>(CloseReason::kLocal));
}

TEST_CASE("reactor: bytes that a slow peer does not take are buffered, counted, and arrive whole") {
  Home home;
  Adopted peer = Adopt(&home, kWire, 4096);
  const std::string body(600 * 1024, 'y');
  Queue(&home, peer, body);
  home.Until([turns = 0]() mutable { return ++turns > 2; });
  CHECK(home.memory.Unsent(peer.slot) > 500 * 1024);
  const int32_t activity = home.memory.Activity(peer.slot);
  std::string taken;
  const size_t whole = HeaderBound({}) + body.size();
  REQUIRE(home.Until([&] {
    taken += TakeBytes(peer.far);
    return home.memory.Unsent(peer.slot) == 0 && taken.size() + 20 > whole;
  }));
  CHECK(taken.substr(taken.size() - body.size()) == body);
  CHECK(home.memory.Activity(peer.slot) != activity);
}

TEST_CASE("reactor: wrong words written by JavaScript access no memory outside of the rings") {
  Home home;
  Adopted peer = Adopt(&home);
  const Rings rings = home.memory.rings();
  const int32_t wild[] = {INT32_MIN, -1, 0, 1, kMaxSends, kMaxSends + 1, kOutboxSize, INT32_MAX};
  for (const int32_t start : wild) {
    for (const int32_t size : wild) {
      Send& send = rings.sends[0];
      send = {};
      send.slot = peer.slot;
      send.generation = peer.generation;
      send.bits = kTypePush;
      send.route = start;
      send.name_start = send.meta_start = send.status_start = send.body_start = start;
      send.name_size = send.meta_size = send.status_size = send.body_size = size;
      home.memory.control().send_next = 1;
      home.reactor.Drain();
      home.memory.control().send_base = start;
      home.memory.control().send_next = size;
      home.reactor.Drain();
      home.memory.control() = {};
      while (!TakeBytes(peer.far).empty()) {
      }
    }
    home.reactor.Destroy(start, start, CloseReason::kLocal);
    home.reactor.End(start, start);
    home.reactor.CloseListener(start);
    CHECK(home.reactor.TakeLarge(start).data == nullptr);
  }
}

TEST_CASE("reactor: thousands of connections close in one turn") {
  Home home;
  std::vector<OwnedDescriptor> far;
  for (int i = 0; i < 2000; i++) {
    Ends ends = MakeEnds();
    home.reactor.Adopt(std::move(ends.near), true, 1, kWire);
    far.push_back(std::move(ends.far));
  }
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == far.size(); }));
  const std::string bytes = FrameWith("bye");
  for (const OwnedDescriptor& end : far) REQUIRE(Put(end, bytes) == bytes.size());
  far.clear();
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 2000; }));
  CHECK(home.journal.Count(kMessage) == 2000);
}

TEST_CASE("reactor: stops with connections in every state") {
  Home home;
  TempFolder folder;
  const OwnedDescriptor listener = ListenUnix(folder.File(20));
  REQUIRE(home.reactor.Listen({false, "127.0.0.1", 0}, {16, false, 3, {}, kWire}) >= 0);
  Adopted slow = Adopt(&home, kWire, 4096), ending = Adopt(&home), peeked = Adopt(&home, Peeking());
  Queue(&home, slow, std::string(500 * 1024, 'z'));
  REQUIRE(Put(peeked.far, "x") == 1);
  home.Until([turns = 0]() mutable { return ++turns > 2; });
  home.reactor.End(ending.slot, ending.generation);
  int32_t generation;
  home.reactor.Dial({false, "192.0.2.1", 9}, kWire, &generation);
  Ends late = MakeEnds();
  home.reactor.Adopt(std::move(late.near), true, 1, kWire);
}

}  // namespace
}  // namespace dmicro
