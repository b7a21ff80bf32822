#include <doctest/doctest.h>

#include <chrono>

#include "feeder.h"
#include "hex.h"
#include "memory_count.h"

// Memory follows the bytes received, never the bytes announced, and time is linear in them.

namespace dmicro {
namespace {

constexpr size_t kMiB = 1 << 20;

std::string Large(size_t size) {
  Message message{.method = "/large"};
  message.body.assign(size - Pack(message).size(), 'x');
  return Pack(message);
}

TEST_CASE("1 MiB in small chunks never holds more than 4 KiB or twice what came" * doctest::skip(!kCountsMemory)) {
  const std::string bytes = Large(kMiB);
  for (const size_t chunk : {1u, 64u, 4096u, 60'000u}) {
    CAPTURE(chunk);
    Feeder feeder;
    feeder.keep = false;
    const MemoryCount memory;
    for (size_t at = 0; at < bytes.size();) {
      at += feeder.Read(std::string_view(bytes).substr(at, chunk));
      REQUIRE(memory.live() <= std::max<size_t>(4096, 2 * at));
      REQUIRE(feeder.framer.held() == (at < bytes.size() ? at : 0));
    }
    CHECK(feeder.count == 1);
    CHECK(memory.live() == 0);
    // Memory is doubled: all memory ever requested is a small multiple of the frame, whatever the chunks.
    CHECK(memory.requested() <= 3 * bytes.size());
    CHECK(memory.calls() <= 20);
  }
}

TEST_CASE("small frames in any chunks never hold more than themselves" * doctest::skip(!kCountsMemory)) {
  const std::string bytes = Large(300) + Large(47 + 8) + Large(3000);
  for (size_t chunk = 1; chunk < 400; chunk++) {
    Feeder feeder;
    feeder.keep = false;
    const MemoryCount memory;
    for (size_t at = 0; at < bytes.size(); at += chunk) {
      feeder.Feed(std::string_view(bytes).substr(at, chunk));
      REQUIRE(memory.live() == feeder.framer.held());
    }
    CHECK(feeder.count == 3);
  }
}

TEST_CASE("whole frames take no memory at all" * doctest::skip(!kCountsMemory)) {
  std::string bytes;
  for (int i = 0; i < 30; i++) bytes += Large(500);
  Feeder feeder(kLimits, 16 * 1024);
  feeder.keep = false;
  const MemoryCount memory;
  feeder.Feed(bytes);
  CHECK(feeder.count == 30);
  CHECK(memory.calls() == 0);
}

TEST_CASE("4 GiB announced and then silence takes one small block" * doctest::skip(!kCountsMemory)) {
  const std::string bytes = Hex("ffffffff 01 00 01 31 01");
  for (const size_t chunk : {1u, 6u, 9u}) {
    Feeder feeder({UINT32_MAX, 0});
    const MemoryCount memory;
    CHECK(feeder.Feed(bytes, chunk) == Parse::kMore);
    feeder.Read("");  // the reactor reserves space for a read that never comes
    CHECK(memory.live() <= 4096);
  }
}

TEST_CASE("1,000 half frames of 16 MiB take 4 KiB each" * doctest::skip(!kCountsMemory)) {
  const std::string half = Large(16 * kMiB).substr(0, 2000);
  Exact scratch(std::string(Framer::kMinScratch, '\0'));
  const MemoryCount memory;
  {
    std::vector<Framer> framers(1000);
    for (Framer& framer : framers) {
      for (size_t at = 0; at < half.size(); at += 500) {
        CloseReason reason;
        const Framer::Space space = framer.Reserve({scratch.data(), Framer::kMinScratch});
        std::memcpy(space.data, half.data() + at, 500);
        framer.Commit(500, kLimits, &reason, [](const RawMessage&, Bytes, bool) { return true; });
      }
      REQUIRE(framer.held() == half.size());
    }
    CHECK(memory.live() <= 1000 * 4096);
  }
  CHECK(memory.live() == 0);
}

TEST_CASE("a frame given up half way is freed" * doctest::skip(!kCountsMemory)) {
  for (const size_t size : {3u, 5u, 100u, 5000u, 500'000u}) {
    const MemoryCount memory;
    {
      Feeder feeder;
      feeder.Feed(std::string_view(Large(kMiB)).substr(0, size), 1000);
      CHECK(memory.live() >= size);
    }
    CHECK(memory.live() == 0);
  }
}

double Seconds(const std::string& bytes, size_t chunk) {
  double best = 1e9;
  for (int run = 0; run < 5; run++) {
    Feeder feeder(kLimits, 4 * kMiB);
    feeder.keep = false;
    const auto start = std::chrono::steady_clock::now();
    feeder.Feed(bytes, chunk);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    REQUIRE(feeder.count == 1);
  }
  return best;
}

TEST_CASE("time is linear in the bytes, for chunks of 1 and of 64 bytes") {
  const std::string once = Large(kMiB), twice = Large(2 * kMiB);
  const double whole = Seconds(once, SIZE_MAX);
  for (const size_t chunk : {1u, 64u}) {
    const double small = Seconds(once, chunk);
    MESSAGE("1 MiB in " << chunk << "-byte chunks: " << small * 1e3 << " ms, " << small / whole << " x one read");
    CHECK(Seconds(twice, chunk) < 4 * small);
  }
}

}  // namespace
}  // namespace dmicro
