#include <doctest/doctest.h>

#include "harness.h"

// Nothing writes past the arena, whatever comes in one turn.

namespace dmicro {
namespace {

// Adopted as an accepted connection; its slot. Read only from Release on.
int32_t AdoptHeld(Home* home, OwnedDescriptor near) {
  const size_t known = home->journal.events.size();
  home->reactor.Adopt(std::move(near), true, 1, kWire);
  REQUIRE(home->Until([&] { return home->journal.events.size() > known; }));
  const int32_t slot = home->journal.events.back().slot;
  home->reactor.Hold(slot, 0, true);
  return slot;
}

TEST_CASE("connections announced in the turn of a long read leave room for the next read") {
  Home home;
  // Whole frames: each read of one stays in the arena. Together they fill it up to what a read may leave free.
  constexpr size_t kFrame = 160 * 1024;
  static_assert((kInboxSize - Inbox::kMinFree) % kFrame == 0);
  std::vector<OwnedDescriptor> far;
  std::vector<int32_t> slots;
  for (size_t filled = 0; filled + kFrame <= kInboxSize - Inbox::kMinFree; filled += kFrame) {
    Ends ends = MakeEnds(2 * kFrame);
    slots.push_back(AdoptHeld(&home, std::move(ends.near)));
    REQUIRE(Put(ends.far, FrameOfSize(kFrame)) == kFrame);
    far.push_back(std::move(ends.far));
  }
  // One holds the first part of a frame, which goes in front of the next read.
  const std::string partial = FrameOfSize(6000, 7);
  Ends last = MakeEnds();
  const int32_t slot = AdoptHeld(&home, std::move(last.near));
  home.reactor.Hold(slot, 0, false);
  REQUIRE(Put(last.far, std::string_view(partial).substr(0, 4000)) == 4000);
  REQUIRE(home.Until([&] { return home.reactor.Find(slot, 0)->framer.held() == 4000; }));
  home.reactor.Hold(slot, 0, true);
  REQUIRE(Put(last.far, std::string_view(partial).substr(4000)) == 2000);
  home.Until([turns = 0]() mutable { return ++turns > 3; });  // the loop forgets that those held have something

  // In one turn, in this order: the long reads, the connections that were dialled, the rest of the frame.
  TempFolder folder;
  const std::string path = folder.File(100);
  const OwnedDescriptor listener = ListenUnix(path);
  for (const int32_t one : slots) home.reactor.Hold(one, 0, false);
  constexpr size_t kDials = 570;  // of 112 bytes each
  for (size_t i = 0; i < kDials; i++) {
    int32_t generation;
    REQUIRE(home.reactor.Dial({true, path, 0}, kWire, &generation) >= 0);
  }
  home.reactor.Hold(slot, 0, false);
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == slots.size() + 1; }));
  REQUIRE(home.Until([&] { return home.journal.Count(kConnect) == kDials; }));
  const Event* const message = home.journal.Find(kMessage, slot);
  REQUIRE(message != nullptr);
  CHECK(message->seq == 7);
  CHECK(message->body == partial.substr(partial.size() - message->body.size()));
  for (const Event& event : home.journal.events) {
    if (event.kind == kConnect) CHECK(event.name == path);
  }
}

}  // namespace
}  // namespace dmicro
