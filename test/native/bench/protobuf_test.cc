#include "protocols/protobuf.h"

#include <doctest/doctest.h>

#include "wire.h"

namespace dmicro_bench {
namespace {

const Protobuf& Wire() {
  static const Protobuf wire(OptionsOf(16));
  return wire;
}

std::string Framed(const std::string& payload) {
  std::string message = std::string(kEnvelope, '\0') + payload;
  PutEnvelope(message.data(), message.size());
  return message;
}

const std::string kStatusField = "\x22\x1e" + std::string(kOkStatus);
const std::string kMetaField = "\x2a\x02{}";
constexpr const char* kCodecField = "\x30\x6a";

std::string BodyField(int32_t seq) { return "\x3a\x10" + BodyOf(16, 0, seq); }

TEST_CASE("a CALL is laid out as Go's") {
  const std::string after_seq = "\x10\x01\x1a\x0b/bench/echo" + kStatusField + kMetaField + kCodecField;
  CHECK(CallOf(Wire(), 0, 7) == Framed("\x08\x07" + after_seq + BodyField(7)));
  CHECK(CallOf(Wire(), 0, 300) == Framed("\x08\xac\x02" + after_seq + BodyField(300)));
}

TEST_CASE("a REPLY may leave out an OK status and have fields that nobody knows") {
  const std::string head = "\x08\xac\x02\x10\x02";
  const std::string tail = kMetaField + kCodecField + BodyField(300);
  CHECK(Settle(Wire(), Framed(head + kStatusField + tail)) == "300");
  CHECK(Settle(Wire(), Framed(head + "\x48\x01" + tail + "\x52\x01x")) == "300");
}

TEST_CASE("a REPLY must be whole, OK and the call's own") {
  const std::string tail = kMetaField + kCodecField + BodyField(7);
  const std::string good = Framed("\x08\x07\x10\x02" + kStatusField + tail);
  REQUIRE(Settle(Wire(), good) == "7");
  for (size_t size = 0; size < good.size(); size++) REQUIRE(Settle(Wire(), good.substr(0, size)) == "partial");
  CHECK(Settle(Wire(), good, 1) == "wrong body");
  CHECK(Settle(Wire(), Framed("\x08\x08\x10\x02" + tail)) == "wrong body");
  CHECK(Settle(Wire(), Framed("\x08\x07\x10\x01" + tail)) == "type is not REPLY");
  CHECK(Settle(Wire(), Framed("\x08\x07\x10\x02\x22\x01!" + tail)) == "status is not OK");
  CHECK(Settle(Wire(), Framed("\x08\x07\x10\x02" + kMetaField)) == "body codec is not the call's");
  CHECK(Settle(Wire(), Framed("\x08\x07\x10\x02" + (kCodecField + BodyField(7)))) ==
        "it has no meta, for which Go drops a connection");
  // A message cut anywhere is no message, or one that lacks a field.
  const std::string payload = good.substr(kEnvelope);
  for (size_t size = 0; size < payload.size(); size++) CHECK(Settle(Wire(), Framed(payload.substr(0, size))) != "7");
}

}  // namespace
}  // namespace dmicro_bench
