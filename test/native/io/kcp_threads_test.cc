#include <doctest/doctest.h>

#include "kcp_harness.h"
#include "threads.h"

// Sessions over KCP on reactors with threads of their own.

namespace dmicro {
namespace {

TEST_CASE("kcp: sessions on one thread echo what those of another send, in order, until both threads stop") {
  Threads threads(2);
  Threads::Side* const server = threads.sides[0].get();
  Threads::Side* const client = threads.sides[1].get();
  std::string address;
  server->thread.Run([&](Reactor* reactor) {
    const int32_t id = reactor->ListenKcp({false, "127.0.0.1", 0}, FastKcp(), {16, false, 3, {}, kWire});
    address = reactor->ListenerAddress(id);
  });
  REQUIRE_FALSE(address.empty());
  server->journal.on_event = [server](const Event& event) {
    if (event.kind == kMessage) Queue(server, event.slot, event.generation, event.body);
  };
  constexpr size_t kSessions = 10, kMessages = 400;
  std::vector<size_t> answers(kSessions);
  client->journal.on_event = [&](const Event& event) {
    if (event.kind == kConnect) {
      for (size_t i = 0; i < kMessages; i++) Queue(client, event.slot, event.generation, std::to_string(i));
    } else if (event.kind == kMessage) {
      CHECK(event.body == std::to_string(answers[static_cast<size_t>(event.slot)]++));
    }
  };
  for (size_t i = 0; i < kSessions; i++) {
    client->thread.Run([&](Reactor* reactor) {
      int32_t generation;
      CHECK(reactor->DialKcp({false, "127.0.0.1", PortOf(address)}, FastKcp(), kWire, &generation) >= 0);
    });
  }
  REQUIRE(threads.Until([&] { return client->journal.Count(kMessage) == kSessions * kMessages; }));
  CHECK(server->journal.Count(kAccept) == kSessions);
}

}  // namespace
}  // namespace dmicro
