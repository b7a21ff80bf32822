#include "protocols/jsonrpc.h"

#include <doctest/doctest.h>

#include "wire.h"

namespace dmicro_bench {
namespace {

const JsonRpc& Wire() {
  static const JsonRpc wire(OptionsOf(16));
  return wire;
}

TEST_CASE("a CALL is laid out as Go's") {
  CHECK(CallOf(Wire(), 3, 12) ==
        R"({"jsonrpc":"2.0","method":"/bench/echo","params":)" + BodyOf(16, 3, 12) + ",\"id\":12,\"context\":{}}\r\n");
}

TEST_CASE("a REPLY has one line, a result and the call's id") {
  const std::string good = R"({"jsonrpc":"2.0","id":12,"result":)" + BodyOf(16, 3, 12) + ",\"context\":{}}\r\n";
  CHECK(Settle(Wire(), good, 3) == "12");
  CHECK(Settle(Wire(), good + good, 3) == "12");
  CHECK(Settle(Wire(), Replaced(good, "\r", ""), 3) == "12");
  for (size_t size = 0; size < good.size(); size++) REQUIRE(Settle(Wire(), good.substr(0, size), 3) == "partial");
  CHECK(Settle(Wire(), good, 2) == "wrong body");
  CHECK(Settle(Wire(), Replaced(good, "12", "13"), 3) == "wrong body");
  CHECK(Settle(Wire(), Replaced(good, "12", "\"x\""), 3) == "id is no int32");
  CHECK(Settle(Wire(), Replaced(good, "result", "nothing"), 3) == "wrong body");
  CHECK(Settle(Wire(), Replaced(good, "2.0", "1.0"), 3) == "jsonrpc is not 2.0");
  CHECK(Settle(Wire(), Replaced(good, "}}", "},\"error\":{\"code\":404}}"), 3) == "it is an error");
  CHECK(Settle(Wire(), CallOf(Wire(), 3, 12), 3) == "it is no response");
  CHECK(Settle(Wire(), "\r\n") == "it is no JSON object");
  CHECK(Settle(Wire(), std::string(1 << 20, ' ')) == "bad");
}

}  // namespace
}  // namespace dmicro_bench
