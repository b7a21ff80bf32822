#include <doctest/doctest.h>

#include "hex.h"
#include "message.h"

namespace dmicro {
namespace {

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

Judgement Judge(const std::string& bytes, FrameLimits limits = {1000, 4}) {
  Judgement judgement{Parse::kDone, 77, CloseReason::kLocal};
  judgement.parse = CheckPrefix(Exact(bytes), limits, &judgement.total, &judgement.reason);
  if (judgement.parse == Parse::kBad) judgement.total = 0;  // *total has no meaning then
  return judgement;
}

Judgement Bad(CloseReason reason) { return {Parse::kBad, 0, reason}; }
Judgement More(uint32_t total) { return {Parse::kMore, total, CloseReason::kLocal}; }
Judgement Done(uint32_t total) { return {Parse::kDone, total, CloseReason::kLocal}; }

std::string Length(uint32_t length) {
  std::string bytes(4, '\0');
  StoreBig32(reinterpret_cast<uint8_t*>(bytes.data()), length);
  return bytes;
}

TEST_CASE("below four bytes nothing is known") {
  for (size_t size = 0; size < 4; size++) CHECK(Judge(std::string(size, '\xff')) == More(0));
}

TEST_CASE("each length below the header's is refused on four bytes") {
  for (uint32_t length = 0; length < kMinFrame; length++) CHECK(Judge(Length(length)) == Bad(CloseReason::kTooShort));
  CHECK(Judge(Length(kMinFrame)) == More(kMinFrame));
}

TEST_CASE("a length over the limit is refused on four bytes") {
  CHECK(Judge(Length(1000)) == More(1000));
  for (const uint32_t length : {1001u, 65536u, 0x7fffffffu, 0x80000000u, 0xffffffffu})
    CHECK(Judge(Length(length)) == Bad(CloseReason::kTooLarge));
}

TEST_CASE("with the widest limit every length is possible") {
  CHECK(Judge(Length(UINT32_MAX), {UINT32_MAX, 0}) == More(UINT32_MAX));
  CHECK(Judge(Length(kMinFrame - 1), {UINT32_MAX, 0}) == Bad(CloseReason::kTooShort));
}

TEST_CASE("a limit of nothing lets nothing through") {
  CHECK(Judge(Length(kMinFrame), {0, 0}) == Bad(CloseReason::kTooLarge));
}

TEST_CASE("each version but 1 is refused on five bytes") {
  for (int version = 0; version < 256; version++) {
    const std::string bytes = Length(100) + static_cast<char>(version);
    CHECK(Judge(bytes) == (version == 1 ? More(100) : Bad(CloseReason::kVersion)));
  }
}

TEST_CASE("filters are refused on six bytes: too many of them, or more than the frame has room for") {
  for (int count = 0; count < 256; count++) {
    CAPTURE(count);
    const std::string bytes = Length(100) + '\x01' + static_cast<char>(count);
    CHECK(Judge(bytes) == (count <= 4 ? Done(100) : Bad(CloseReason::kFilterCount)));
    CHECK(Judge(bytes, {1000, 255}) == (count <= 94 ? Done(100) : Bad(CloseReason::kTooShort)));
  }
  CHECK(Judge(Length(100) + Hex("01 01"), {1000, 0}) == Bad(CloseReason::kFilterCount));
}

TEST_CASE("the first bad byte decides") {
  CHECK(Judge(Length(3) + Hex("02 ff")) == Bad(CloseReason::kTooShort));
  CHECK(Judge(Length(2000) + Hex("02 ff")) == Bad(CloseReason::kTooLarge));
  CHECK(Judge(Length(100) + Hex("02 ff")) == Bad(CloseReason::kVersion));
}

TEST_CASE("bytes behind the prefix are not looked at") {
  CHECK(Judge(Length(100) + Hex("01 00 ff ff ff")) == Done(100));
}

}  // namespace
}  // namespace dmicro
