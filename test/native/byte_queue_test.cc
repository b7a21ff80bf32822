#include "wire/byte_queue.h"

#include <doctest/doctest.h>

#include <random>

#include "memory_count.h"
#include "message.h"

namespace dmicro {
namespace {

std::string Content(ByteQueue& queue) { return TextOf({queue.data(), queue.size()}); }

TEST_CASE("a queue keeps bytes in the order they came") {
  ByteQueue queue;
  std::string expected;
  std::mt19937 random(1);
  for (int i = 0; i < 2'000; i++) {
    const std::string piece(random() % 300, static_cast<char>(random()));
    queue.Append(Exact(piece));
    expected += piece;
    REQUIRE(queue.size() == expected.size());
  }
  CHECK(Content(queue) == expected);
}

TEST_CASE("a queue that took nothing holds nothing" * doctest::skip(!kCountsMemory)) {
  const MemoryCount memory;
  ByteQueue queue;
  queue.Append({});
  CHECK(queue.size() == 0);
  CHECK(memory.calls() == 0);
}

TEST_CASE("two queues change places without moving a byte") {
  ByteQueue writing, waiting;
  waiting.Append(BytesOf("hello"));
  const uint8_t* const data = waiting.data();
  writing.Swap(waiting);
  CHECK(writing.data() == data);
  CHECK(Content(writing) == "hello");
  CHECK(waiting.size() == 0);
  // Bytes passed to the kernel do not move while more are appended.
  for (int i = 0; i < 1'000; i++) waiting.Append(BytesOf("more"));
  CHECK(writing.data() == data);
  CHECK(Content(writing) == "hello");
  CHECK(waiting.size() == 4'000);
}

TEST_CASE("a cleared queue frees its memory and can be used again" * doctest::skip(!kCountsMemory)) {
  const MemoryCount memory;
  ByteQueue queue;
  queue.Append(BytesOf("first"));
  CHECK(memory.live() >= 5);
  queue.Clear();
  CHECK(memory.live() == 0);
  CHECK(queue.size() == 0);
  queue.Append(BytesOf("second"));
  CHECK(Content(queue) == "second");
  queue.Clear();
  queue.Clear();
  CHECK(memory.live() == 0);
}

TEST_CASE("a queue frees its memory when it goes" * doctest::skip(!kCountsMemory)) {
  const MemoryCount memory;
  {
    ByteQueue queue;
    queue.Append(BytesOf("bytes"));
  }
  CHECK(memory.live() == 0);
}

TEST_CASE("a queue grows linearly and holds at most half more than it must" * doctest::skip(!kCountsMemory)) {
  const MemoryCount memory;
  ByteQueue queue;
  const std::string piece(100, 'x');
  for (int i = 0; i < 100'000; i++) {
    queue.Append(BytesOf(piece));
    REQUIRE(memory.live() <= queue.size() + queue.size() / 2);
  }
  CHECK(memory.calls() < 50);
  CHECK(memory.requested() < 4 * queue.size());
}

}  // namespace
}  // namespace dmicro
