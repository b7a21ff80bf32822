#include "io/inbox.h"

#include <doctest/doctest.h>

#include "harness.h"

namespace dmicro {
namespace {

constexpr Lane kFirst{0, 128 * 1024, 0, 4};
constexpr Lane kSameArena{0, 128 * 1024, 4, 4};
constexpr Lane kOther{128 * 1024, 256 * 1024, 4, 4};

void AddNumbered(Inbox* inbox, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; i++) inbox->Add()->seq = i;
}

std::vector<int32_t> Numbers(RingMemory* memory, Batch batch) {
  std::vector<int32_t> numbers;
  for (int32_t i = 0; i < batch.count; i++) numbers.push_back(memory->rings().records[batch.first + i].seq);
  return numbers;
}

TEST_CASE("inbox: records that a lane has no room for come in the next ones, in order") {
  RingMemory memory;
  Inbox inbox(memory.rings(), kFirst);
  CHECK(inbox.Empty());
  AddNumbered(&inbox, 0, 11);
  CHECK(inbox.Full());
  CHECK(Numbers(&memory, inbox.Flip(kSameArena)) == std::vector<int32_t>{0, 1, 2, 3});
  CHECK(inbox.Full());
  AddNumbered(&inbox, 11, 13);
  CHECK(Numbers(&memory, inbox.Flip(kFirst)) == std::vector<int32_t>{4, 5, 6, 7});
  CHECK(Numbers(&memory, inbox.Flip(kSameArena)) == std::vector<int32_t>{8, 9, 10, 11});
  CHECK(!inbox.Full());
  CHECK(inbox.FreeRecords() == 3);
  CHECK(Numbers(&memory, inbox.Flip(kFirst)) == std::vector<int32_t>{12});
  CHECK(inbox.Empty());
}

TEST_CASE("inbox: the time per record does not grow with the number of connections that close in one turn") {
  RingMemory memory;
  const auto moved_in = [&memory](int32_t count) {
    Inbox inbox(memory.rings(), kFirst);
    const uint64_t start = uv_hrtime();
    AddNumbered(&inbox, 0, count);
    int32_t seen = 0;
    for (bool even = false; !inbox.Empty(); even = !even) {
      for (const int32_t number : Numbers(&memory, inbox.Flip(even ? kFirst : kSameArena))) REQUIRE(number == seen++);
    }
    CHECK(seen == count);
    return uv_hrtime() - start;
  };
  moved_in(10'000);
  // With four records a lane, an inbox that moved the rest with each lane took a hundred times as long for ten times as
  // many.
  const uint64_t few = moved_in(20'000);
  CHECK(moved_in(200'000) < 40 * few);
}

TEST_CASE("inbox: what is in use stays while its batch is read, and another lane begins empty") {
  RingMemory memory;
  Inbox inbox(memory.rings(), kFirst);
  inbox.Use(100);
  CHECK(inbox.Free().data == memory.inbox() + 104);  // the free part is aligned
  inbox.Flip(kSameArena);
  CHECK(inbox.Free().data == memory.inbox() + 104);
  inbox.Clear();
  CHECK(inbox.Free().data == memory.inbox());
  inbox.Use(64 * 1024);
  CHECK(!inbox.Low());
  inbox.Use(1);
  CHECK(inbox.Low());
  inbox.Flip(kOther);
  CHECK(inbox.Free().data == memory.inbox() + kOther.arena_start);
  CHECK(inbox.Free().size == 128 * 1024);
  inbox.Use(128 * 1024);  // fills the lane to its end
  CHECK(inbox.Free().size == 0);
}

TEST_CASE("connection table: a slot comes back under another generation, after it was freed") {
  ConnectionTable table;
  Connection first(nullptr, kWire), second(nullptr, kWire), third(nullptr, kWire);
  REQUIRE(table.Add(&first));
  REQUIRE(table.Add(&second));
  CHECK(table.Find(first.slot, first.generation) == &first);
  table.Retire(&first);
  CHECK(table.Find(first.slot, first.generation) == nullptr);
  REQUIRE(table.Add(&third));
  CHECK(third.slot != first.slot);
  table.Retire(&third);
  table.Free(first.slot);
  REQUIRE(table.Add(&third));
  CHECK(third.slot == first.slot);
  CHECK(third.generation == first.generation + 1);
  CHECK(table.Find(first.slot, first.generation) == nullptr);
  for (const int32_t slot : {-1, 1000, INT32_MAX}) CHECK(table.Find(slot, 0) == nullptr);
}

}  // namespace
}  // namespace dmicro
