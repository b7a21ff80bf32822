#include "kcp/link.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

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

class LinkEnd final : public KcpOutput {
 public:
  LinkEnd(KcpLink::Role role, uint64_t now) : link(7, Fast(), role, 0, now) {}

  void Turn(uint64_t now) {
    for (const std::vector<uint8_t>& datagram : received) link.Take({datagram.data(), datagram.size()}, now);
    received.clear();
    if (reads) link.DropReceived();
    link.Turn(now, this);
  }

  uint8_t* Begin(size_t most) override {
    scratch_.resize(most);
    return scratch_.data();
  }
  void Commit(size_t size) override { sent.emplace_back(scratch_.begin(), scratch_.begin() + static_cast<long>(size)); }

  KcpLink link;
  std::vector<std::vector<uint8_t>> sent, received;
  bool reads = true;
  bool busy = false;  // its loop does not run, and what is sent to it waits

 private:
  std::vector<uint8_t> scratch_;
};

// A link that dialled and the one that was accepted, in a time of their own. A datagram takes 1 ms.
class LinkPair {
 public:
  LinkPair() {
    Run(100);
    CHECK(dialled.link.Open());
    for (int i = 0; i < 20; i++) {  // the round trip becomes known
      Call();
      Run(20);
    }
    CHECK(dialled.link.machine().rto() == 30);
  }

  void Run(uint64_t ms) {
    for (const uint64_t end = now + ms; now != end; now++) {
      for (LinkEnd* const one : {&dialled, &accepted}) {
        if (!one->busy) one->Turn(now);
      }
      Pass(&dialled, &accepted);
      Pass(&accepted, &dialled);
    }
  }
  void Call() { dialled.link.Send({reinterpret_cast<const uint8_t*>("call"), 4}, nullptr); }

  uint64_t now = 1000;
  LinkEnd dialled{{true, true}, now}, accepted{{false, true}, now};

 private:
  static void Pass(LinkEnd* from, LinkEnd* to) {
    for (std::vector<uint8_t>& datagram : from->sent) to->received.push_back(std::move(datagram));
    from->sent.clear();
  }
};

TEST_CASE("a peer whose loop is blocked for 3 s ends no link, however often a segment was sent") {
  for (const uint64_t idle : {0u, 20'000u}) {  // before the call
    CAPTURE(idle);
    LinkPair pair;
    pair.Run(idle);
    pair.accepted.busy = true;
    pair.Call();
    pair.Run(3000);
    CHECK(pair.dialled.link.machine().Dead());
    CHECK(pair.dialled.link.failure() == LinkFailure::kNone);
    pair.accepted.busy = false;
    pair.Run(500);
    CHECK(pair.dialled.link.machine().Unsent() == 0);
    CHECK_FALSE(pair.dialled.link.machine().Dead());
    // What comes later has the same patience.
    pair.Run(20'000);
    pair.accepted.busy = true;
    pair.Call();
    pair.Run(3000);
    CHECK(pair.dialled.link.failure() == LinkFailure::kNone);
  }
}

TEST_CASE("a peer that is silent for 10 s while a segment is sent often ends the link") {
  LinkPair pair;
  pair.Run(20'000);
  pair.accepted.busy = true;
  pair.Call();
  pair.Run(9900);
  CHECK(pair.dialled.link.failure() == LinkFailure::kNone);
  pair.Run(1100);
  CHECK(pair.dialled.link.failure() == LinkFailure::kTimedOut);
}

TEST_CASE("an idle link is asked about, and goes on") {
  LinkPair pair;
  pair.Run(200'000);
  for (LinkEnd* const end : {&pair.dialled, &pair.accepted}) CHECK(end->link.failure() == LinkFailure::kNone);
  pair.accepted.busy = true;
  pair.Run(34'000);
  CHECK(pair.dialled.link.failure() == LinkFailure::kNone);
  pair.Run(60'000);
  CHECK(pair.dialled.link.failure() == LinkFailure::kTimedOut);
}

TEST_CASE("a process that was stopped asks its peers before it gives them up") {
  for (const bool calls : {false, true}) {
    CAPTURE(calls);
    LinkPair pair;
    if (calls) {
      pair.accepted.busy = true;
      pair.Call();
      pair.Run(3000);
      REQUIRE(pair.dialled.link.machine().Dead());
      pair.accepted.busy = false;
    }
    pair.now += 60'000;
    pair.Run(1000);
    CHECK(pair.dialled.link.failure() == LinkFailure::kNone);
    CHECK(pair.dialled.link.machine().Unsent() == 0);
  }
}

TEST_CASE("a peer that does not read hears of a close before all was sent, at once or after the linger") {
  for (const bool destroyed : {true, false}) {
    CAPTURE(destroyed);
    LinkPair pair;
    pair.accepted.reads = false;
    const std::vector<uint8_t> bytes(destroyed ? 1'000'000 : 1000);
    if (!destroyed) pair.accepted.busy = true;
    pair.dialled.link.Send({bytes.data(), bytes.size()}, nullptr);
    pair.Run(100);
    if (destroyed) {
      pair.dialled.link.SendLast(pair.now, &pair.dialled);
    } else {
      pair.dialled.link.End(nullptr);
      pair.Run(2500);
      CHECK(pair.dialled.link.Finished());
      pair.accepted.busy = false;
    }
    pair.dialled.busy = true;
    const auto passed = [&] {
      for (std::vector<uint8_t>& datagram : pair.dialled.sent) pair.accepted.received.push_back(std::move(datagram));
      pair.dialled.sent.clear();
    };
    passed();
    pair.accepted.Turn(pair.now);
    CHECK(pair.accepted.link.failure() == LinkFailure::kReset);
  }
}

TEST_CASE("a peer that reads late gets all that was sent before a close, and no reset") {
  LinkPair pair;
  pair.accepted.reads = false;
  const std::vector<uint8_t> bytes(100'000);
  pair.dialled.link.Send({bytes.data(), bytes.size()}, nullptr);
  pair.dialled.link.End(nullptr);
  pair.Run(5000);
  CHECK(pair.dialled.link.Finished());
  CHECK(pair.accepted.link.failure() == LinkFailure::kNone);
  CHECK_FALSE(pair.accepted.link.Ended());
  pair.accepted.link.DropReceived();
  CHECK(pair.accepted.link.Ended());
}

}  // namespace
}  // namespace dmicro
