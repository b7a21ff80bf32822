#pragma once

#include <doctest/doctest.h>

#include "adopted.h"
#include "io/io_thread.h"

// Reactors on threads of their own, whose readers are on the thread of the test.

namespace dmicro {

class Threads {
 public:
  explicit Threads(size_t count) {
    uv_loop_init(&loop);
    for (size_t i = 0; i < count; i++) {
      sides.push_back(std::make_unique<Side>(&loop));
      REQUIRE(sides.back()->thread.Start(static_cast<int>(i)) == 0);
    }
  }
  ~Threads() {
    Stop();
    uv_loop_close(&loop);
  }

  void Stop() {
    if (std::exchange(stopped_, true)) return;
    size_t running = sides.size();
    for (const auto& side : sides) side->thread.Stop([&running] { running--; });
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(running == 0);
  }

  bool Until(const std::function<bool()>& holds) { return TurnUntil(&loop, holds); }

  struct Side {
    explicit Side(uv_loop_t* home)
        : memory(IoThread::kLanes * IoThread::kLaneInbox, IoThread::kLanes * IoThread::kLaneRecords, IoThread::kLanes),
          journal(&memory, [this](int32_t index) { return thread.TakeLarge(index); }),
          thread(home, memory.rings(), &journal) {}
    RingMemory memory;
    Journal journal;
    IoThread thread;
  };

  size_t Count(RecordKind kind) const {
    size_t count = 0;
    for (const auto& side : sides) count += side->journal.Count(kind);
    return count;
  }

  uv_loop_t loop;
  std::vector<std::unique_ptr<Side>> sides;

 private:
  bool stopped_ = false;
};

// Queues a message with `body`; publishes what is queued when it does not fit.
inline void Queue(Threads::Side* side, int32_t slot, int32_t generation, std::string_view body,
                  uint8_t type = kTypePush) {
  const Control& control = side->memory.control();
  const bool full =
      control.send_next - control.send_base == static_cast<int32_t>(kMaxSends) ||
      control.outbox_next - control.outbox_base + static_cast<int32_t>(body.size()) > static_cast<int32_t>(kOutboxSize);
  if (full) side->thread.Drain();
  Queue(&side->memory, slot, generation, body, type);
}

// Listens on a thread; accepted connections go to `adopters` in turn. Returns the port.
inline int ListenOn(Threads* threads, size_t listening, std::vector<Adopter*> adopters, WireLimits limits = kWire) {
  std::string address;
  threads->sides[listening]->thread.Run([&](Reactor* reactor) {
    const int32_t id = reactor->Listen({false, "127.0.0.1", 0}, {512, false, 3, std::move(adopters), limits});
    if (id >= 0) address = LocalAddress(reactor->FindListener(id)->uv());
  });
  REQUIRE(!address.empty());
  return std::stoi(address.substr(address.find(':') + 1));
}

}  // namespace dmicro
