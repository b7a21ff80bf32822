#include <doctest/doctest.h>

#include <algorithm>

#include "harness.h"

// Tests that nothing writes past the arena, whatever comes in one turn.

namespace dmicro {
namespace {

// Opens a connection as an accepted one, pauses its reading and returns its slot.
int32_t AdoptPaused(Home* home, OwnedDescriptor near) {
  const size_t known = home->journal.events.size();
  home->reactor.Adopt(std::move(near), true, 1, kWire);
  REQUIRE(home->Until([&] { return home->journal.events.size() > known; }));
  const int32_t slot = home->journal.events.back().slot;
  home->reactor.PauseReading(slot, 0);
  return slot;
}

// Sizes of whole frames, each of whose reads stays in the arena. Together they fill it up to what a read may leave
// free.
constexpr size_t kLong = 160 * 1024;
constexpr size_t kLongs = (kInboxSize - Inbox::kMinFree) / kLong;
static_assert((kInboxSize - Inbox::kMinFree) % kLong == 0);

// Connections that are paused and have one such frame each to read.
struct Longs {
  explicit Longs(Home* home) {
    for (size_t i = 0; i < kLongs; i++) {
      Ends ends = MakeEnds(2 * kLong);
      slots.push_back(AdoptPaused(home, std::move(ends.near)));
      REQUIRE(Put(ends.far, FrameOfSize(kLong)) == kLong);
      far.push_back(std::move(ends.far));
    }
    home->Until([turns = 0]() mutable { return ++turns > 3; });  // the loop handles the events of the sockets
  }
  void Resume(Home* home) const {
    for (const int32_t slot : slots) home->reactor.ResumeReading(slot, 0);
  }
  std::vector<OwnedDescriptor> far;
  std::vector<int32_t> slots;
};

TEST_CASE("arena: connections opened in the turn of a long read leave room for the next read") {
  Home home;
  const Longs longs(&home);
  // One connection holds the first part of a frame, which goes in front of the next read.
  const std::string partial = FrameOfSize(6000, 7);
  Ends last = MakeEnds();
  const int32_t slot = AdoptPaused(&home, std::move(last.near));
  home.reactor.ResumeReading(slot, 0);
  REQUIRE(Put(last.far, std::string_view(partial).substr(0, 4000)) == 4000);
  REQUIRE(home.Until([&] { return home.reactor.Find(slot, 0)->framer.held() == 4000; }));
  home.reactor.PauseReading(slot, 0);
  REQUIRE(Put(last.far, std::string_view(partial).substr(4000)) == 2000);
  home.Until([turns = 0]() mutable { return ++turns > 3; });

  // In one turn, in this order: the long reads, the connections that were dialled, the rest of the frame.
  TempFolder folder;
  const std::string path = folder.File(100);
  const OwnedDescriptor listener = ListenUnix(path);
  longs.Resume(&home);
  constexpr size_t kDials = 570;  // their records take 112 bytes of the arena each
  for (size_t i = 0; i < kDials; i++) {
    int32_t generation;
    REQUIRE(home.reactor.Dial({true, path, 0}, kWire, &generation) >= 0);
  }
  home.reactor.ResumeReading(slot, 0);
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == kLongs + 1; }));
  REQUIRE(home.Until([&] { return home.journal.Count(kConnect) == kDials; }));
  const Event* const message = home.journal.Find(kMessage, slot);
  REQUIRE(message != nullptr);
  CHECK(message->seq == 7);
  CHECK(message->body == partial.substr(partial.size() - message->body.size()));
  for (const Event& event : home.journal.events) {
    if (event.kind == kConnect) CHECK(event.name == path);
  }
}

TEST_CASE("arena: a connection that the reader destroys while it is being reported is not reported") {
  Home home;
  const Longs longs(&home);
  TempFolder folder;
  const std::string path = folder.File(100);
  const OwnedDescriptor listener = ListenUnix(path);
  longs.Resume(&home);
  std::vector<std::pair<int32_t, int32_t>> dialled;
  for (size_t i = 0; i < 700; i++) {
    int32_t generation;
    const int32_t slot = home.reactor.Dial({true, path, 0}, kWire, &generation);
    REQUIRE(slot >= 0);
    dialled.push_back({slot, generation});
  }
  // One of the reports finds no room, so that the records before it are delivered; the reader then destroys all
  // connections.
  bool destroyed = false;
  home.journal.on_event = [&](const Event&) {
    if (std::exchange(destroyed, true)) return;
    for (const auto& [slot, generation] : dialled) home.reactor.Destroy(slot, generation, CloseReason::kLocal);
  };
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == dialled.size(); }));
  std::vector<int32_t> closed;
  for (const Event& event : home.journal.events) {
    if (event.kind == kClose) closed.push_back(event.slot);
    if (event.kind == kConnect) CHECK(std::find(closed.begin(), closed.end(), event.slot) == closed.end());
  }
}

}  // namespace
}  // namespace dmicro
