#include "protocols/raw.h"

#include <doctest/doctest.h>

#include "wire.h"

namespace dmicro_bench {
namespace {

const Raw& Wire() {
  static const Raw wire(OptionsOf(16));
  return wire;
}

TEST_CASE("a CALL is a frame, which answers itself once its type is REPLY and its method gone") {
  const std::string call = CallOf(Wire(), 0, 37);
  RawFrame frame;
  REQUIRE(ParseFrame(call, 1000, &frame) == Parse::kWhole);
  CHECK(frame.size == call.size());
  CHECK(frame.seq == "11");
  CHECK(frame.type == kCall);
  CHECK(frame.body == BodyOf(16, 0, 37));
  CHECK(Settle(Wire(), call) == "type is not REPLY");

  std::string reply = Replaced(call, std::string("\x01\x0b/bench/echo"), std::string("\x02\0", 2));
  StoreBe32(reply.data(), static_cast<uint32_t>(reply.size()));
  CHECK(Settle(Wire(), reply) == "37");
  CHECK(Settle(Wire(), reply, 1) == "wrong body");
  CHECK(Settle(Wire(), reply.substr(0, reply.size() - 1)) == "partial");
}

}  // namespace
}  // namespace dmicro_bench
