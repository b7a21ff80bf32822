#include "io/io_thread.h"

#include <doctest/doctest.h>

#include <thread>

#include "threads.h"

// A reactor on a thread of its own, and the lanes between it and its reader's thread.

namespace dmicro {
namespace {

size_t OpenDescriptors() {
  size_t count = 0;
  for (int i = 0; i < 4096; i++) count += fcntl(i, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

TEST_CASE("io thread: connections forwarded from thread to thread echo every message, in order") {
  Threads threads(3);
  const int port = ListenOn(&threads, 0, {&threads.sides[0]->thread, &threads.sides[1]->thread});
  // The first two threads echo, the third one dials.
  for (size_t i = 0; i < 2; i++) {
    Threads::Side* const side = threads.sides[i].get();
    side->journal.on_event = [side](const Event& event) {
      if (event.kind == kMessage) Queue(side, event.slot, event.generation, event.body);
    };
  }
  Threads::Side* const dialler = threads.sides[2].get();
  constexpr size_t kConnections = 20, kMessages = 400;
  std::vector<size_t> answers(kConnections);
  dialler->journal.on_event = [&](const Event& event) {
    if (event.kind == kConnect) {
      for (size_t i = 0; i < kMessages; i++) Queue(dialler, event.slot, event.generation, std::to_string(i));
    } else if (event.kind == kMessage) {
      CHECK(event.body == std::to_string(answers[static_cast<size_t>(event.slot)]++));
    }
  };
  for (size_t i = 0; i < kConnections; i++) {
    dialler->thread.Run([&](Reactor* reactor) {
      int32_t generation;
      CHECK(reactor->Dial({false, "127.0.0.1", port}, kWire, &generation) >= 0);
    });
  }
  REQUIRE(threads.Until([&] { return dialler->journal.Count(kMessage) == kConnections * kMessages; }));
  CHECK(threads.sides[0]->journal.Count(kAccept) == kConnections / 2);
  CHECK(threads.sides[1]->journal.Count(kAccept) == kConnections / 2);
  for (const auto& side : threads.sides) {
    for (int32_t slot = 0; slot < 10; slot++) CHECK(side->memory.Activity(slot) != 0);
  }
}

TEST_CASE("io thread: frames too large for a lane, and bodies too large for the outbox, pass") {
  Threads threads(2);
  const int port = ListenOn(&threads, 0, {});
  Threads::Side* const dialler = threads.sides[1].get();
  const std::string body(3 * 1024 * 1024, 'l');
  dialler->journal.on_event = [&](const Event& event) {
    if (event.kind != kConnect) return;
    Queue(dialler, event.slot, event.generation, "");
    dialler->thread.DrainWith(BytesOf(body));
  };
  dialler->thread.Run([&](Reactor* reactor) {
    int32_t generation;
    reactor->Dial({false, "127.0.0.1", port}, kWire, &generation);
  });
  REQUIRE(threads.Until([&] { return threads.Count(kMessage) == 1; }));
  CHECK(threads.sides[0]->journal.events.back().body == body);
}

TEST_CASE("io thread: a reader that is behind gets larger batches and loses no message") {
  Threads threads(1);
  Threads::Side* const side = threads.sides[0].get();
  std::vector<OwnedDescriptor> far;
  for (int i = 0; i < 50; i++) {
    Ends ends = MakeEnds(1 << 20);
    side->thread.Adopt(std::move(ends.near), true, 1, kWire);
    far.push_back(std::move(ends.far));
  }
  // No batch is read while the lanes fill, so that sockets wait.
  std::string flood;
  while (flood.size() < 100 * 1024) flood += FrameWith(std::string(20, 'f'));
  const size_t each = flood.size() / FrameWith(std::string(20, 'f')).size();
  for (const OwnedDescriptor& end : far) REQUIRE(Put(end, flood) == flood.size());
  uv_sleep(50);
  REQUIRE(threads.Until([&] { return threads.Count(kMessage) == far.size() * each; }));
  CHECK(side->journal.Count(kAccept) == far.size());
}

TEST_CASE("io thread: a reader that runs the home loop itself gets no batch inside of another") {
  Threads threads(1);
  Threads::Side* const side = threads.sides[0].get();
  Ends one = MakeEnds(), two = MakeEnds();
  side->thread.Adopt(std::move(one.near), true, 1, kWire);
  side->thread.Adopt(std::move(two.near), true, 1, kWire);
  REQUIRE(threads.Until([&] { return threads.Count(kAccept) == 2; }));
  int depth = 0, deepest = 0;
  bool turned = false;
  side->journal.on_event = [&](const Event& event) {
    deepest = std::max(deepest, ++depth);
    if (event.kind == kMessage && !std::exchange(turned, true)) {
      REQUIRE(Put(two.far, FrameWith("two")) != 0);
      for (int i = 0; i < 20; i++) {
        uv_run(&threads.loop, UV_RUN_NOWAIT);
        uv_sleep(1);
      }
    }
    depth--;
  };
  REQUIRE(Put(one.far, FrameWith("one")) != 0);
  REQUIRE(threads.Until([&] { return threads.Count(kMessage) == 2; }));
  CHECK(deepest == 1);
}

TEST_CASE("io thread: sockets forwarded to a thread that is ending are closed") {
  const size_t before = OpenDescriptors();
  for (int round = 0; round < 20; round++) {
    Threads threads(1);
    Threads::Side* const side = threads.sides[0].get();
    std::vector<OwnedDescriptor> far;
    for (int i = 0; i < 10; i++) {
      Ends ends = MakeEnds();
      side->thread.Adopt(std::move(ends.near), true, 1, kWire);
      far.push_back(std::move(ends.far));
    }
    // Some sockets arrive before the thread starts to end, some afterwards, some when it is gone.
    std::thread other([&] {
      for (int i = 0; i < 200; i++) {
        Ends ends = MakeEnds();
        side->thread.Adopt(std::move(ends.near), true, 1, kWire);
      }
    });
    threads.Stop();
    other.join();
    Ends late = MakeEnds();
    side->thread.Adopt(std::move(late.near), true, 1, kWire);
  }
  CHECK(OpenDescriptors() == before);
}

TEST_CASE("io thread: a thread that was never started can be abandoned") {
  uv_loop_t loop;
  uv_loop_init(&loop);
  RingMemory memory(IoThread::kLanes * IoThread::kLaneInbox, IoThread::kLanes * IoThread::kLaneRecords,
                    IoThread::kLanes);
  Journal journal(&memory, [](int32_t) { return HeapMessage{nullptr, 0}; });
  (new IoThread(&loop, memory.rings(), &journal))->Abandon();
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
}

}  // namespace
}  // namespace dmicro
