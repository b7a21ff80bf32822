#pragma once

#include <doctest/doctest.h>

#include "harness.h"

// Connections of a test's reactor on sockets whose other ends the test holds.

namespace dmicro {

struct Adopted {
  OwnedDescriptor far;
  int32_t slot, generation;
};

// Opens a connection with `limits`; `buffer` is the size of its socket's buffers, 0 for that of the system.
inline Adopted Adopt(Home* home, const WireLimits& limits = kWire, int buffer = 0) {
  Ends ends = MakeEnds(buffer);
  const size_t before = home->journal.Count(kAccept);
  home->reactor.Adopt(std::move(ends.near), true, 7, limits);
  REQUIRE(home->Until([&] { return home->journal.Count(kAccept) > before; }));
  const Event* accepted = nullptr;
  for (const Event& event : home->journal.events) {
    if (event.kind == kAccept) accepted = &event;
  }
  CHECK(accepted->seq == 7);
  return {std::move(ends.far), accepted->slot, accepted->generation};
}

// Queues a message with `body` in the rings, as an upper layer does.
inline void Queue(RingMemory* memory, int32_t slot, int32_t generation, std::string_view body,
                  uint8_t type = kTypePush) {
  Control& control = memory->control();
  const Rings rings = memory->rings();
  Send& send = rings.sends[control.send_next++];
  send = {};
  send.slot = slot;
  send.generation = generation;
  send.bits = type | 'j' << 8;
  send.seq = 1;
  send.route = -1;
  send.body_start = control.outbox_next;
  send.body_size = static_cast<int32_t>(body.size());
  std::memcpy(rings.outbox + control.outbox_next, body.data(), body.size());
  control.outbox_next += static_cast<int32_t>(body.size());
}

inline void Queue(Home* home, const Adopted& to, std::string_view body, uint8_t type = kTypePush) {
  Queue(&home->memory, to.slot, to.generation, body, type);
}

}  // namespace dmicro
