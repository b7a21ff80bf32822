#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "kcp_pair.h"

namespace dmicro {
namespace {

KcpSettings Fast() {
  KcpSettings settings;
  settings.no_delay = true;
  settings.interval = 10;
  settings.resend = 2;
  settings.congestion = false;
  settings.window = 128;
  return settings;
}

TEST_CASE("bytes arrive once and in order, whatever the network does to the datagrams") {
  struct Case {
    const char* name;
    KcpSettings settings;
    Network network;
  };
  KcpSettings plain = Fast();
  plain.fec_data = plain.fec_parity = 0;
  KcpSettings small = Fast();
  small.mtu = 128;
  KcpSettings narrow = Fast();
  narrow.mtu = 576;
  const Case cases[] = {{"a clean one", {}, {}},
                        {"a clean one, fast", Fast(), {}},
                        {"a third lost", Fast(), {.lost = 30}},
                        {"a third lost, with Go's settings", {}, {.lost = 30}},
                        {"twice and out of order", Fast(), {.twice = 30, .jitter = 60}},
                        {"all of it, without FEC", plain, {.lost = 20, .twice = 20, .jitter = 40}},
                        {"a tenth lost, in datagrams of 576 bytes", narrow, {.lost = 10}},
                        {"all of it, in small datagrams", small, {.lost = 10, .twice = 10, .jitter = 40}}};
  for (const Case& one : cases) {
    CAPTURE(one.name);
    for (const uint32_t start : {0u, UINT32_MAX - 2000}) {  // of the clock, which wraps around
      KcpPair pair(one.settings, one.network, start);
      if (start != 0) pair.BeginAt(UINT32_MAX - 20);  // numbers wrap around with it
      const std::string there = pair.RandomBytes(100'000), back = pair.RandomBytes(50'000);
      pair.ends[0].Send(there);
      pair.ends[1].Send(back);
      CHECK(pair.Until(
          [&] { return pair.ends[1].read.size() == there.size() && pair.ends[0].read.size() == back.size(); }));
      CHECK(pair.ends[1].read == there);
      CHECK(pair.ends[0].read == back);
      CHECK(pair.Until([&] { return pair.ends[0].machine().Unsent() == 0 && pair.ends[1].machine().Unsent() == 0; }));
      CHECK(pair.ends[0].machine().UnsentBytes() == 0);
      CHECK_FALSE(pair.ends[0].machine().Dead());
      CHECK_FALSE(pair.ends[0].machine().Lost());
    }
  }
}

TEST_CASE("a peer that does not read is sent one window, and the rest when it reads again") {
  KcpPair pair(Fast(), {});
  pair.ends[1].reads = false;
  const std::string bytes = pair.RandomBytes(128 * 1376 + 50'000);
  pair.ends[0].Send(bytes);
  pair.Run(1000);
  CHECK(pair.ends[1].machine().Received() == 128);
  CHECK(pair.ends[1].machine().FreeWindow() == 0);
  pair.ends[1].reads = true;
  CHECK(pair.Until([&] { return pair.ends[1].read.size() == bytes.size(); }));
  CHECK(pair.ends[1].read == bytes);
}

TEST_CASE("a window that is opened in a datagram that is lost is asked for") {
  KcpPair pair(Fast(), {});
  pair.ends[1].reads = false;
  const std::string bytes = pair.RandomBytes(200 * 1376);
  pair.ends[0].Send(bytes);
  pair.Run(1000);
  pair.network.lost = 100;
  pair.ends[1].reads = true;
  pair.Run(1000);
  pair.network.lost = 0;
  CHECK(pair.Until([&] { return pair.ends[1].read.size() == bytes.size(); }));
}

TEST_CASE("a window of 0 stops data, is asked about after 7 s, then ever later, and opens by the answer") {
  KcpPair pair(Fast(), {});
  pair.ends[1].reads = false;
  const std::string bytes = pair.RandomBytes(130 * 1376);
  pair.ends[0].Send(bytes);
  pair.Run(1000);
  CHECK(pair.ends[0].machine().peer_window() == 0);
  CHECK(pair.ends[0].machine().Unsent() == 2);
  pair.network.lost = 100;
  pair.Run(20'000);
  CHECK(pair.ends[0].machine().Unsent() == 2);
  pair.network.lost = 0;
  pair.ends[1].reads = true;
  CHECK(pair.Until([&] { return pair.ends[0].machine().Unsent() == 0; }));
  CHECK(pair.ends[1].read == bytes);
}

TEST_CASE("a window of 0 that is heard of when nothing is on its way is asked about once there is something to send") {
  KcpPair pair(Fast(), {});
  std::vector<uint8_t> datagram(SegmentHeader::kSize);
  SegmentHeader header;
  header.conv = 7;
  header.command = kKcpAck;  // an old one, behind the news that the window is open again
  header.window = 0;
  header.Store(datagram.data());
  pair.Run(10);
  pair.ends[0].conversation->Receive({datagram.data(), datagram.size()}, pair.now());
  pair.Run(10);
  pair.ends[0].Send("x");
  CHECK(pair.ends[0].machine().Due(pair.now()) == 0);
  pair.Step();
  CHECK(pair.ends[0].machine().Due(pair.now()) == 6999);
  pair.Run(7100);
  CHECK(pair.ends[1].read == "x");
}

TEST_CASE("what a peer that acknowledges at once has not acknowledged is sent again before its timeout, once") {
  for (const bool prompt : {false, true}) {
    CAPTURE(prompt);
    KcpPair pair({}, {.delay = 25});
    if (prompt) pair.ends[0].machine().SetPrompt();
    for (int i = 0; i < 20; i++) {
      pair.ends[0].Send("x");
      CHECK(pair.Until([&] { return pair.ends[0].machine().Unsent() == 0; }));
    }
    const uint32_t rto = pair.ends[0].machine().rto();
    pair.network.lost = 100;
    pair.ends[0].Send("lost");
    const uint32_t sent_at = pair.now();
    pair.Step();
    std::vector<uint32_t> due;
    while (due.size() < 3) {
      const uint32_t wait = pair.ends[0].machine().Due(pair.now());
      due.push_back(pair.now() + wait - sent_at);
      pair.Run(wait + 1);
    }
    // The timeout begins anew with the probe, and grows as ever.
    CHECK(rto == 150);
    CHECK(due == (prompt ? std::vector<uint32_t>{70, 220, 520} : std::vector<uint32_t>{150, 450, 900}));
  }
}

TEST_CASE("acknowledgements of segments that were acknowledged before are no round trips") {
  KcpPair pair({}, {});
  pair.ends[0].Send("x");
  CHECK(pair.Until([&] { return pair.ends[0].machine().Unsent() == 0; }));
  const uint32_t rto = pair.ends[0].machine().rto();
  pair.Run(5000);
  std::vector<uint8_t> datagram(24);
  SegmentHeader header;
  header.conv = 7;
  header.command = kKcpAck;
  header.window = 32;
  header.una = 1;
  header.Store(datagram.data());
  CHECK(pair.ends[0].machine().Input({datagram.data(), datagram.size()}, true, pair.now()) == 1);
  CHECK(pair.ends[0].machine().rto() == rto);
}

TEST_CASE("a link that loses all is dead after as many attempts as the settings say") {
  KcpPair pair(Fast(), {.lost = 100});
  pair.ends[0].Send("x");
  CHECK(pair.Until([&] { return pair.ends[0].machine().Dead(); }));
}

TEST_CASE("a peer that starts again is noticed by what it acknowledges") {
  KcpPair pair(Fast(), {});
  pair.ends[0].Send(pair.RandomBytes(5000));
  CHECK(pair.Until([&] { return pair.ends[0].machine().Unsent() == 0; }));
  pair.Restart(1);
  pair.ends[0].Send("x");
  CHECK(pair.Until([&] { return pair.ends[0].machine().Lost(); }));
}

TEST_CASE("an idle conversation has nothing due") {
  KcpPair pair({}, {});
  pair.ends[0].Send("question");
  pair.ends[1].Send("answer");
  CHECK(pair.Until([&] { return pair.ends[0].machine().Unsent() == 0 && pair.ends[1].machine().Unsent() == 0; }));
  for (KcpEnd& end : pair.ends) CHECK(end.machine().Due(pair.now()) == UINT32_MAX);
}

TEST_CASE("segments beyond the window cost no memory") {
  Kcp kcp(7, Fast());
  const uint32_t beyond[] = {128, 1000, 0x7fffffff, 0x80000000, UINT32_MAX};
  for (const uint32_t sn : beyond) {
    std::vector<uint8_t> datagram(24 + 1000);
    SegmentHeader header;
    header.conv = 7;
    header.command = kKcpPush;
    header.sn = sn;
    header.size = 1000;
    header.Store(datagram.data());
    CHECK(kcp.Input({datagram.data(), datagram.size()}, true, 0) == 1);
  }
  CHECK(kcp.Received() == 0);
  CHECK(kcp.FreeWindow() == 128);
}

}  // namespace
}  // namespace dmicro
