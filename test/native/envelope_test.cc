#include "wire/envelope.h"

#include <doctest/doctest.h>

#include "feeder.h"
#include "hex.h"
#include "memory_count.h"

namespace dmicro {
namespace {

constexpr FrameLimits kSmall{1000, 4, Framing::kEnvelope};

struct Judgement {
  Parse parse;
  uint32_t total;
  CloseReason reason;
  bool operator==(const Judgement&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Judgement& judgement) {
  return out << "parse " << static_cast<int>(judgement.parse) << " total " << judgement.total << " reason "
             << static_cast<int>(judgement.reason);
}

Judgement Judge(const std::string& bytes, FrameLimits limits = kSmall) {
  Judgement judgement{Parse::kDone, 77, CloseReason::kLocal};
  judgement.parse = CheckEnvelope(Exact(bytes), limits, &judgement.total, &judgement.reason);
  if (judgement.parse == Parse::kBad) judgement.total = 0;  // *total has no meaning then
  return judgement;
}

Judgement Bad(CloseReason reason) { return {Parse::kBad, 0, reason}; }
Judgement More(uint32_t total) { return {Parse::kMore, total, CloseReason::kLocal}; }
Judgement Done(uint32_t total) { return {Parse::kDone, total, CloseReason::kLocal}; }

std::string Size(uint32_t size) {
  std::string bytes(4, '\0');
  StoreBig32(reinterpret_cast<uint8_t*>(bytes.data()), size);
  return bytes;
}

std::string Envelope(const std::string& payload, const std::string& filters = "") {
  return Size(static_cast<uint32_t>(1 + filters.size() + payload.size())) + static_cast<char>(filters.size()) +
         filters + payload;
}

Message Whole(const std::string& envelope) { return {.seq = 0, .type = kTypeUnparsed, .codec = 0, .body = envelope}; }

TEST_CASE("envelope: below four bytes nothing is known") {
  for (size_t size = 0; size < 4; size++) CHECK(Judge(std::string(size, '\xff')) == More(0));
}

TEST_CASE("envelope: a size that has no room for the number of filters is refused on four bytes") {
  CHECK(Judge(Size(0)) == Bad(CloseReason::kTooShort));
  CHECK(Judge(Size(1)) == More(5));
}

TEST_CASE("envelope: a size over the limit is refused on four bytes, whatever its sign") {
  CHECK(Judge(Size(996)) == More(1000));
  for (const uint32_t size :
       {997u, 1000u, 1001u, 65536u, 0x7fffffffu, 0x80000000u, 0xfffffffbu, 0xfffffffcu, 0xfffffffdu, 0xffffffffu})
    CHECK(Judge(Size(size)) == Bad(CloseReason::kTooLarge));
  // The widest limit there is (src/session/options.ts).
  const FrameLimits widest{0x7fffffff, 4, Framing::kEnvelope};
  CHECK(Judge(Size(0x7ffffffb), widest) == More(0x7fffffff));
  for (const uint32_t size : {0x7ffffffcu, 0x7fffffffu, 0x80000000u, 0xfffffffcu, 0xffffffffu})
    CHECK(Judge(Size(size), widest) == Bad(CloseReason::kTooLarge));
}

TEST_CASE("envelope: a limit of nothing lets nothing through") {
  for (const uint32_t most : {0u, 1u, 4u})
    CHECK(Judge(Size(1), {most, 4, Framing::kEnvelope}) == Bad(CloseReason::kTooLarge));
  CHECK(Judge(Size(1), {5, 4, Framing::kEnvelope}) == More(5));
}

TEST_CASE("envelope: filters are refused on five bytes: too many of them, or more than there is room for") {
  for (int count = 0; count < 256; count++) {
    CAPTURE(count);
    const std::string bytes = Size(100) + static_cast<char>(count);
    CHECK(Judge(bytes) == (count <= 4 ? Done(104) : Bad(CloseReason::kFilterCount)));
    CHECK(Judge(bytes, {1000, 255, Framing::kEnvelope}) == (count <= 99 ? Done(104) : Bad(CloseReason::kTooShort)));
  }
  CHECK(Judge(Size(1) + Hex("00")) == Done(5));
  CHECK(Judge(Size(1) + Hex("01")) == Bad(CloseReason::kTooShort));
  CHECK(Judge(Size(100) + Hex("01"), {1000, 0, Framing::kEnvelope}) == Bad(CloseReason::kFilterCount));
}

TEST_CASE("envelope: the first bad byte decides, and what follows is not looked at") {
  CHECK(Judge(Size(0) + Hex("ff")) == Bad(CloseReason::kTooShort));
  CHECK(Judge(Size(2000) + Hex("ff")) == Bad(CloseReason::kTooLarge));
  CHECK(Judge(Size(100) + Hex("00 ff ff ff")) == Done(104));
}

TEST_CASE("envelope: whole ones are delivered as they are, split at any two points") {
  const std::vector<std::string> envelopes{Envelope("{\"seq\":1}"), Envelope(""), Envelope("zipped", "z5"),
                                           Envelope(std::string(60, 'x'))};
  std::string stream;
  std::vector<Message> messages;
  for (const std::string& envelope : envelopes) {
    stream += envelope;
    messages.push_back(Whole(envelope));
  }
  for (size_t first = 0; first <= stream.size(); first++) {
    for (size_t second = first; second <= stream.size(); second++) {
      Feeder feeder(kSmall);
      feeder.Feed(stream.substr(0, first));
      feeder.Feed(stream.substr(first, second - first));
      feeder.Feed(stream.substr(second));
      CAPTURE(first);
      CAPTURE(second);
      REQUIRE(feeder.messages == messages);
      REQUIRE(feeder.framer.held() == 0);
    }
  }
}

TEST_CASE("envelope: every size up to 512 bytes, cut at every byte and byte by byte") {
  for (size_t size = 5; size <= 512; size++) {
    const std::string envelope = Envelope(std::string(size - 5, static_cast<char>(size)));
    for (size_t cut = 1; cut < size; cut++) {
      Feeder feeder(kSmall);
      feeder.Feed(envelope.substr(0, cut));
      REQUIRE(feeder.count == 0);
      REQUIRE(feeder.framer.held() == cut);
      feeder.Feed(envelope.substr(cut));
      REQUIRE(feeder.messages == std::vector{Whole(envelope)});
    }
    Feeder feeder(kSmall);
    feeder.Feed(envelope + envelope, 1);
    REQUIRE(feeder.messages == std::vector{Whole(envelope), Whole(envelope)});
  }
}

TEST_CASE("envelope: around the sizes where the framer switches memory, in chunks of any size") {
  constexpr FrameLimits limits{1 << 20, 4, Framing::kEnvelope};
  for (const size_t near : {4096u, 5120u, 8192u, 16384u, 20480u}) {
    for (const size_t size : {near - 6u, near - 5u, near - 1u, near, near + 1u, near + 5u, near + 6u}) {
      const std::string large = Envelope(std::string(size - 5, 'y'));
      for (const size_t chunk : {1u, 4u, 5u, 6u, 4090u, 4095u, 4096u, 4097u, 8193u, 100'000u}) {
        CAPTURE(size);
        CAPTURE(chunk);
        Feeder feeder(limits);
        feeder.Feed(large + Envelope("") + large, chunk);
        REQUIRE(feeder.messages == std::vector{Whole(large), Whole(Envelope("")), Whole(large)});
        REQUIRE(feeder.framer.held() == 0);
      }
    }
  }
}

TEST_CASE(
    "envelope: what is refused is refused however it is cut, after the good ones before it, and takes no memory") {
  const std::string good = Envelope("good");
  const std::vector<std::pair<std::string, CloseReason>> bad{
      {Size(0), CloseReason::kTooShort},
      {Size(997), CloseReason::kTooLarge},
      {Size(0x7fffffff), CloseReason::kTooLarge},
      {Size(0x80000000), CloseReason::kTooLarge},
      {Size(0xffffffff), CloseReason::kTooLarge},
      {Size(100) + Hex("05"), CloseReason::kFilterCount},
      {Size(2) + Hex("02"), CloseReason::kTooShort},
      {Size(100) + Hex("ff"), CloseReason::kFilterCount},
  };
  for (const auto& [bytes, reason] : bad) {
    for (const size_t chunk : {size_t{1}, size_t{2}, size_t{3}, size_t{5}, SIZE_MAX}) {
      Feeder early(kSmall);
      REQUIRE(early.Feed(bytes.substr(0, bytes.size() - 1), chunk) == Parse::kMore);
      Feeder feeder(kSmall);
      REQUIRE(feeder.Feed(good + good + bytes + good, chunk) == Parse::kBad);
      CHECK(feeder.reason == reason);
      CHECK(feeder.count == 2);
    }
    if (!kCountsMemory) continue;
    Feeder feeder(kSmall);
    const MemoryCount memory;
    REQUIRE(feeder.Feed(bytes, 1) == Parse::kBad);
    CHECK(memory.requested() <= 1 + 2 + 3 + 4);
    CHECK(memory.live() == 0);
  }
}

TEST_CASE("envelope: memory follows the bytes received, never the size announced" * doctest::skip(!kCountsMemory)) {
  constexpr FrameLimits widest{0x7fffffff, 4, Framing::kEnvelope};
  for (const size_t chunk : {1u, 5u, 9u}) {
    Feeder feeder(widest);
    const MemoryCount memory;
    CHECK(feeder.Feed(Size(0x7ffffffb) + Hex("00 7b 22 73 65"), chunk) == Parse::kMore);
    feeder.Read("");  // the reactor reserves space for a read that never comes
    CHECK(memory.live() <= 4096);
  }
  const std::string large = Envelope(std::string(1 << 20, 'x'));
  for (const size_t chunk : {1u, 64u, 4096u, 60'000u}) {
    CAPTURE(chunk);
    Feeder feeder(widest);
    feeder.keep = false;
    const MemoryCount memory;
    for (size_t at = 0; at < large.size();) {
      at += feeder.Read(std::string_view(large).substr(at, chunk));
      REQUIRE(memory.live() <= std::max<size_t>(4096, 2 * at));
    }
    CHECK(feeder.count == 1);
    CHECK(memory.live() == 0);
    CHECK(memory.requested() <= 3 * large.size());
  }
}

}  // namespace
}  // namespace dmicro
