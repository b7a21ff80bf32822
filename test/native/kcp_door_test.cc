#include <doctest/doctest.h>

#include <string>

#include "kcp/door.h"
#include "kcp/link.h"

namespace dmicro {
namespace {

constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

Bytes BytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

std::string Datagram(const SegmentHeader& header) {
  std::string bytes(SegmentHeader::kSize, '\0');
  header.Store(reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

struct Visitor {
  SipKey key = kKey;
  KcpDoor door{key};
  std::string address = "10.0.0.1";
  uint64_t now = 100'000;
  bool open = true;

  KcpDoor::Answer Show(const SegmentHeader& header) { return ShowBytes(Datagram(header)); }
  KcpDoor::Answer ShowBytes(const std::string& datagram) {
    return door.Meet(BytesOf(address), BytesOf(datagram), 32, now, open);
  }
};

SegmentHeader Reply(const KcpDoor::Answer& answer) { return SegmentHeader::Load(answer.reply.data()); }

SegmentHeader Acknowledging(const SegmentHeader& challenge) {
  return {.conv = challenge.conv, .command = kKcpAck, .ts = challenge.ts, .sn = challenge.sn};
}

// A clock that began when the system did, and its epochs, meet every challenge's time before or behind them.
TEST_CASE("the answer to a challenge is no round trip, whatever the key: a session's first timeout is 200 ms") {
  struct Drop final : KcpOutput {
    uint8_t* Begin(size_t most) override {
      bytes.resize(most);
      return bytes.data();
    }
    void Commit(size_t) override {}
    std::vector<uint8_t> bytes;
  } drop;
  uint32_t before = 0, behind = 0;
  for (uint64_t key = 0; key < 64; key++) {
    Visitor visitor{.key = {key, 1}};
    const SegmentHeader challenge = Reply(visitor.Show({.conv = 5, .command = kKcpAsk, .fragment = kKcpMark}));
    SegmentHeader answer = Acknowledging(challenge);
    answer.fragment = kKcpMark;
    REQUIRE(visitor.Show(answer).verdict == KcpDoor::Verdict::kOpen);
    for (const uint32_t epoch : {0u, 0x80000000u, challenge.ts - 70'000u, challenge.ts - 1000u}) {
      KcpLink link(5, {}, {.dialled = false, .marked = true}, epoch, visitor.now);
      // What is queued before the answer is what a sample could be of.
      const std::string hello = "hello";
      link.machine().Send(BytesOf(hello));
      link.Turn(visitor.now, &drop);
      CHECK(link.Take(BytesOf(Datagram(answer)), visitor.now));
      CHECK(link.machine().rto() == 200);
      CHECK(link.machine().srtt() == 0);
      (Distance(static_cast<uint32_t>(visitor.now) + epoch, challenge.ts) < 0 ? before : behind)++;
    }
  }
  CHECK(before > 30);
  CHECK(behind > 30);
}

TEST_CASE("SipHash-2-4 gives what its authors publish") {
  std::string bytes;
  for (char i = 0; i < 15; i++) bytes.push_back(i);
  CHECK(SipHash(kKey, BytesOf(bytes)) == 0xa129ca6149be45e5);
}

TEST_CASE("an answered challenge opens the door to its address and conversation, for 8 to 16 seconds") {
  Visitor visitor;
  const KcpDoor::Answer answer = visitor.Show({.conv = 5, .command = kKcpAsk});
  REQUIRE(answer.verdict == KcpDoor::Verdict::kReply);
  const SegmentHeader challenge = Reply(answer);
  CHECK(IsChallenge(challenge));
  CHECK(challenge.conv == 5);
  const SegmentHeader good = Acknowledging(challenge);
  // Each opens a session once: this asks a door of the same key that has seen none.
  const auto verdict = [](const SegmentHeader& header, uint64_t later, const std::string& address = "10.0.0.1") {
    Visitor fresh;
    fresh.now += later;
    fresh.address = address;
    return fresh.Show(header).verdict;
  };
  CHECK(verdict(good, 0) == KcpDoor::Verdict::kOpen);
  SegmentHeader marked = good;
  marked.fragment = kKcpMark;
  CHECK(Visitor{}.Show(marked).marked);
  CHECK_FALSE(Visitor{}.Show(good).marked);
  for (uint32_t SegmentHeader::*field : {&SegmentHeader::conv, &SegmentHeader::ts, &SegmentHeader::sn}) {
    SegmentHeader bad = good;
    bad.*field ^= 1;
    CHECK(verdict(bad, 0) == KcpDoor::Verdict::kDrop);
  }
  CHECK(verdict(good, 8192) == KcpDoor::Verdict::kOpen);
  CHECK(verdict(good, 2 * 8192) == KcpDoor::Verdict::kDrop);
  CHECK(verdict(good, 0, "10.0.0.2") == KcpDoor::Verdict::kDrop);
}

TEST_CASE("a copy of the answer to a challenge opens no other session") {
  Visitor visitor;
  std::vector<SegmentHeader> answers;
  for (uint32_t conv = 1; conv <= 512; conv++) {
    answers.push_back(Acknowledging(Reply(visitor.Show({.conv = conv, .command = kKcpAsk, .fragment = kKcpMark}))));
    answers.back().fragment = kKcpMark;
    REQUIRE(visitor.Show(answers.back()).verdict == KcpDoor::Verdict::kOpen);
  }
  for (const SegmentHeader& answer : answers) {
    REQUIRE(visitor.Show(answer).verdict == KcpDoor::Verdict::kReply);
    REQUIRE(Reply(visitor.Show(answer)).command == kKcpReset);
  }
}

TEST_CASE("who has no session is told so, but a reset is never answered, and Go only where it would send again") {
  Visitor visitor;
  struct Case {
    SegmentHeader header;
    bool reset;
  };
  const Case cases[] = {{{.conv = 5, .command = kKcpPush, .ts = 7, .sn = 1}, true},
                        {{.conv = 5, .command = kKcpPush, .ts = 7, .sn = 1, .una = 1}, true},
                        {{.conv = 5, .command = kKcpEnd, .fragment = kKcpMark, .ts = 7, .sn = 1}, true},
                        {{.conv = 5, .command = kKcpAsk, .fragment = kKcpMark, .ts = 7, .sn = 1}, true},
                        {{.conv = 5, .command = kKcpAck, .fragment = kKcpMark, .ts = 7, .sn = 1}, true},
                        {{.conv = 5, .command = kKcpAck, .ts = 7, .sn = 1}, false},
                        {{.conv = 5, .command = kKcpTell, .ts = 7, .sn = 1}, false},
                        {{.conv = 5, .command = kKcpReset, .fragment = kKcpMark, .ts = 7, .sn = 1}, false}};
  for (const Case& one : cases) {
    CAPTURE(one.header.command);
    const KcpDoor::Answer answer = visitor.Show(one.header);
    CHECK(answer.verdict == (one.reset ? KcpDoor::Verdict::kReply : KcpDoor::Verdict::kDrop));
    if (!one.reset) continue;
    CHECK(Reply(answer).command == kKcpReset);
    CHECK(Reply(answer).ts == 7);
    CHECK(Reply(answer).sn == 1);
  }
  // Who has received something had a session, though none of its own bytes were acknowledged.
  CHECK(Reply(visitor.Show({.conv = 5, .command = kKcpPush, .una = 1})).command == kKcpReset);
  CHECK(visitor.ShowBytes(std::string(23, 'x')).verdict == KcpDoor::Verdict::kDrop);
  CHECK(visitor.ShowBytes(std::string(1501, 'x')).verdict == KcpDoor::Verdict::kDrop);
}

TEST_CASE("a closed door refuses") {
  Visitor visitor;
  visitor.open = false;
  const KcpDoor::Answer answer = visitor.Show({.conv = 5, .command = kKcpAsk, .fragment = kKcpMark});
  CHECK(Reply(answer).command == kKcpReset);
}

TEST_CASE("first datagrams are kept for their own address, and the oldest gives way") {
  Visitor visitor;
  const auto kept = [&](const std::string& address, uint32_t conv) {
    std::string got;
    visitor.door.TakeKept(BytesOf(address), conv, [&](Bytes datagram) {
      got.assign(reinterpret_cast<const char*>(datagram.data), datagram.size);
    });
    return got;
  };
  const std::string first = Datagram({.conv = 1, .command = kKcpPush}) + "first";
  visitor.ShowBytes(first);
  for (uint32_t conv = 2; conv <= 128; conv++) visitor.Show({.conv = conv, .command = kKcpPush});
  CHECK(kept("10.0.0.2", 1).empty());
  CHECK(kept("10.0.0.1", 1) == first);
  CHECK(kept("10.0.0.1", 1).empty());
  CHECK_FALSE(kept("10.0.0.1", 2).empty());
  for (uint32_t conv = 1000; conv < 1128; conv++) visitor.Show({.conv = conv, .command = kKcpPush});
  CHECK(kept("10.0.0.1", 3).empty());
  CHECK_FALSE(kept("10.0.0.1", 1127).empty());
}

}  // namespace
}  // namespace dmicro
