#include <doctest/doctest.h>

#include "kcp_harness.h"

// Sessions over KCP between two reactors' ends, on sockets of the system.

namespace dmicro {
namespace {

TEST_CASE("kcp: dials a listener of its own, and frames pass in both directions") {
  Home home;
  KcpListener listener(&home);
  const Dialled client = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1 && home.journal.Count(kConnect) == 1; }));
  const Event* const connect = home.journal.Find(kConnect, client.slot);
  REQUIRE(connect != nullptr);
  CHECK(connect->name == listener.address);
  const Dialled server = Accepted(&home);
  for (const Event& event : home.journal.events) {
    if (event.kind == kAccept) CHECK(event.name == connect->meta);
  }
  QueueTo(&home, client, "hello");
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
  CHECK(home.journal.events.back().body == "hello");
  QueueTo(&home, server, std::string(100'000, 'b'));
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 2; }));
  CHECK(home.journal.events.back().body == std::string(100'000, 'b'));
  CHECK(home.memory.Activity(client.slot) != 0);
}

TEST_CASE("kcp: an end comes behind everything that was sent before it, and closes both sides in order") {
  Home home;
  KcpListener listener(&home);
  const Dialled client = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1; }));
  QueueTo(&home, client, std::string(300'000, 'x'));
  home.reactor.End(client.slot, client.generation);
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 2; }));
  CHECK(home.journal.Count(kMessage) == 1);
  for (const Event& event : home.journal.events) {
    if (event.kind != kClose) continue;
    CHECK(event.seq == static_cast<int32_t>(event.slot == client.slot ? CloseReason::kLocal : CloseReason::kPeer));
    CHECK(event.route == 0);
  }
}

TEST_CASE("kcp: a session that is destroyed ends at the other side at once") {
  Home home;
  KcpListener listener(&home);
  const Dialled client = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1; }));
  const Dialled server = Accepted(&home);
  home.reactor.Destroy(server.slot, server.generation, CloseReason::kLocal);
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 2; }));
  CHECK(home.journal.Find(kClose, client.slot)->seq == static_cast<int32_t>(CloseReason::kPeer));
}

TEST_CASE("kcp: a dial to nobody is refused at once") {
  Home home;
  const int port = FreePort();
  const Dialled client = DialKcp(&home, port);
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
  CHECK(home.journal.Find(kClose, client.slot)->route == UV_ECONNREFUSED);
}

TEST_CASE("kcp: a dial to a socket that does not answer goes on until it is given up") {
  Home home;
  const UdpEnd silent;
  const Dialled client = DialKcp(&home, silent.port());
  REQUIRE(home.Until([&] { return silent.Take().size() == 24 && home.journal.events.empty(); }));
  home.reactor.Destroy(client.slot, client.generation, CloseReason::kLocal);
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
}

TEST_CASE("kcp: a peer that has not proved its address gets answers, no longer than its questions, and no session") {
  Home home;
  KcpListener listener(&home);
  const UdpEnd spoofer;
  for (uint32_t conv = 1; conv <= 1000; conv++) {
    std::string datagram = Segment({.conv = conv, .command = kKcpPush, .window = 32}, "x");
    if (conv % 2 == 0) datagram = Segment({.conv = conv, .command = kKcpAsk, .window = 32});
    spoofer.Put(listener.port, datagram);
    if (conv % 50 == 0) {
      size_t answers = 0;
      REQUIRE(home.Until([&] {
        for (std::string answer; !(answer = spoofer.Take()).empty();) {
          CHECK(answer.size() == 24);
          answers++;
        }
        return answers == 50;
      }));
    }
  }
  CHECK(home.journal.events.empty());
}

TEST_CASE("kcp: a peer that knows only what Go knows proves its address by acknowledging, and its first bytes count") {
  Home home;
  KcpListener listener(&home);
  const UdpEnd peer;
  const std::string frame = FrameWith("first");
  peer.Put(listener.port, Segment({.conv = 9, .command = kKcpPush, .window = 32, .ts = 77}, frame));
  std::string challenge;
  REQUIRE(home.Until([&] { return !(challenge = peer.Take()).empty(); }));
  const SegmentHeader asked = HeaderOf(challenge);
  CHECK(asked.command == kKcpPush);
  CHECK(Distance(asked.sn, 0) < 0);
  CHECK(home.journal.events.empty());
  SUBCASE("with the right numbers") {
    peer.Put(listener.port, Segment({.conv = 9, .command = kKcpAck, .window = 32, .ts = asked.ts, .sn = asked.sn}));
    REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
    CHECK(home.journal.events.back().body == "first");
    // It is acknowledged, once, and nothing of ours is asked of it.
    std::string answer;
    REQUIRE(home.Until([&] { return !(answer = peer.Take()).empty(); }));
    CHECK(HeaderOf(answer).command == kKcpAck);
    CHECK(HeaderOf(answer).una == 1);
    CHECK(HeaderOf(answer).ts == 77);
  }
  SUBCASE("and with others not") {
    peer.Put(listener.port, Segment({.conv = 9, .command = kKcpAck, .window = 32, .ts = asked.ts + 1, .sn = asked.sn}));
    peer.Put(listener.port, Segment({.conv = 10, .command = kKcpAck, .window = 32, .ts = asked.ts, .sn = asked.sn}));
    const UdpEnd other;
    other.Put(listener.port, Segment({.conv = 9, .command = kKcpAck, .window = 32, .ts = asked.ts, .sn = asked.sn}));
    for (int i = 0; i < 100; i++) uv_run(&home.loop, UV_RUN_NOWAIT);
    CHECK(home.journal.events.empty());
  }
}

TEST_CASE("kcp: one address has a bounded number of sessions") {
  Home home;
  KcpListener listener(&home);
  const UdpEnd peer;
  size_t resets = 0;
  for (uint32_t conv = 1; conv <= 20; conv++) {
    peer.Put(listener.port, Segment({.conv = conv, .command = kKcpAsk, .fragment = kKcpMark, .window = 32}));
    std::string challenge;
    REQUIRE(home.Until([&] {
      challenge = peer.Take();
      return !challenge.empty() && HeaderOf(challenge).conv == conv && HeaderOf(challenge).command == kKcpPush;
    }));
    const SegmentHeader asked = HeaderOf(challenge);
    peer.Put(
        listener.port,
        Segment(
            {.conv = conv, .command = kKcpAck, .fragment = kKcpMark, .window = 32, .ts = asked.ts, .sn = asked.sn}));
    std::string answer;
    REQUIRE(home.Until([&] { return !(answer = peer.Take()).empty(); }));
    CHECK(HeaderOf(answer).conv == conv);
    if (HeaderOf(answer).command == kKcpReset) resets++;
  }
  CHECK(resets == 4);
  CHECK(home.journal.Count(kAccept) == 16);
}

TEST_CASE("kcp: a listener that is closed keeps its sessions and refuses others") {
  Home home;
  KcpListener listener(&home);
  const Dialled client = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1; }));
  home.reactor.CloseListener(listener.id);
  const Dialled late = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Find(kClose, late.slot) != nullptr; }));
  CHECK(home.journal.Find(kClose, late.slot)->route == UV_ECONNREFUSED);
  QueueTo(&home, client, "still");
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
}

TEST_CASE("kcp: a peer that does not read fills the window, then what is unsent, and gets all when it reads") {
  Home home;
  KcpListener listener(&home);
  const Dialled client = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1; }));
  const Dialled server = Accepted(&home);
  home.reactor.PauseReading(server.slot, server.generation);
  for (int i = 0; i < 20; i++) QueueTo(&home, client, std::string(50'000, 'p'));
  for (int i = 0; i < 200; i++) uv_run(&home.loop, UV_RUN_NOWAIT);
  CHECK(home.journal.Count(kMessage) == 0);
  CHECK(home.memory.Unsent(client.slot) > 800'000);
  home.reactor.ResumeReading(server.slot, server.generation);
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 20; }));
  REQUIRE(home.Until([&] { return home.memory.Unsent(client.slot) == 0; }));
}

TEST_CASE("kcp: data is activity of the peer, and taking what had to wait, but no acknowledgement of what did not") {
  Home home;
  KcpListener listener(&home);
  const Dialled client = DialKcp(&home, listener.port);
  REQUIRE(home.Until([&] { return home.journal.Count(kAccept) == 1 && home.journal.Count(kConnect) == 1; }));
  const Dialled server = Accepted(&home);
  const int32_t quiet = home.memory.Activity(client.slot), before = home.memory.Activity(server.slot);
  QueueTo(&home, client, "x");
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1 && home.memory.Unsent(client.slot) == 0; }));
  CHECK(home.memory.Activity(server.slot) != before);
  CHECK(home.memory.Activity(client.slot) == quiet);
  QueueTo(&home, client, std::string(1'000'000, 'x'));
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 2 && home.memory.Unsent(client.slot) == 0; }));
  CHECK(home.memory.Activity(client.slot) != quiet);
}

TEST_CASE("kcp: what the network loses is sent again by the side that sent it, one message at a time") {
  Home home;
  KcpListener listener(&home);
  LossyRelay relay(&home.loop, listener.port, 5, 10);
  const Dialled client = DialKcp(&home, relay.port());
  size_t echoes = 0;
  home.journal.on_event = [&](const Event& event) {
    if (event.kind == kConnect) QueueTo(&home, client, "x");
    if (event.kind != kMessage) return;
    if (event.slot == client.slot) echoes++;
    QueueTo(&home, {event.slot, event.generation}, event.body);
  };
  REQUIRE(home.Until([&] { return echoes == 100; }));
}

TEST_CASE("kcp: a stall of the own loop ends no session whose acknowledgements wait in the socket") {
  Home home;
  Home peer;
  KcpListener listener(&peer);
  WireLimits limits = kWire;
  limits.write_timeout = 50;
  Dialled client;
  client.slot = home.reactor.DialKcp({false, "127.0.0.1", listener.port}, FastKcp(), limits, &client.generation);
  const auto both_until = [&](const std::function<bool()>& holds) {
    return home.Until([&] {
      uv_run(&peer.loop, UV_RUN_NOWAIT);
      return holds();
    });
  };
  REQUIRE(both_until([&] { return home.journal.Count(kConnect) == 1 && peer.journal.Count(kAccept) == 1; }));
  for (size_t round = 1; round <= 3; round++) {
    QueueTo(&home, client, "x");
    REQUIRE(both_until([&] { return home.memory.Unsent(client.slot) == 0; }));
    QueueTo(&home, client, "y");
    uv_run(&home.loop, UV_RUN_NOWAIT);
    REQUIRE(peer.Until([&] { return peer.journal.Count(kMessage) == 2 * round; }));
    uv_run(&peer.loop, UV_RUN_NOWAIT);
    uv_sleep(120);  // the stall
    REQUIRE(both_until([&] { return home.memory.Unsent(client.slot) == 0; }));
    CHECK(home.journal.Count(kClose) == 0);
  }
}

TEST_CASE("kcp: a peer that acknowledges nothing is given up after the write timeout") {
  Home home;
  Home peer;
  KcpListener listener(&peer);
  WireLimits limits = kWire;
  limits.write_timeout = 50;
  Dialled client;
  client.slot = home.reactor.DialKcp({false, "127.0.0.1", listener.port}, FastKcp(), limits, &client.generation);
  REQUIRE(home.Until([&] {
    uv_run(&peer.loop, UV_RUN_NOWAIT);
    return home.journal.Count(kConnect) == 1;
  }));
  QueueTo(&home, client, "x");
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
  CHECK(home.journal.Find(kClose, client.slot)->seq == static_cast<int32_t>(CloseReason::kWriteTimeout));
}

TEST_CASE("kcp: the first bytes are peeked at, and the framing is set then") {
  Home home;
  WireLimits limits = kWire;
  limits.frame.framing = Framing::kPeek;
  KcpListener listener(&home, limits);
  const Dialled client = DialKcp(&home, listener.port);
  QueueTo(&home, client, "one");
  home.journal.on_event = [&](const Event& event) {
    if (event.kind == kConnect) QueueTo(&home, client, "one");
    if (event.kind == kMessage && event.body != "one")
      home.reactor.SetFraming(event.slot, event.generation, Framing::kRaw);
  };
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 2; }));
  CHECK(home.journal.events.back().body == "one");
}

}  // namespace
}  // namespace dmicro
