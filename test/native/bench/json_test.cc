#include "protocols/json.h"

#include <doctest/doctest.h>

#include "wire.h"

namespace dmicro_bench {
namespace {

constexpr std::string_view kOkInString = R"("{\"code\":0,\"msg\":\"\",\"cause\":\"\"}")";

const Json& Wire() {
  static const Json wire(OptionsOf(16));
  return wire;
}

std::string Framed(const std::string& document) {
  std::string message = std::string(kEnvelope, '\0') + document;
  PutEnvelope(message.data(), message.size());
  return message;
}

std::string Letters(int32_t seq) { return BodyOf(16, 0, seq).substr(1, 14); }

// A reply with its keys in another order than Go's, as a reply of this library may have them.
std::string Reply(std::string_view seq, std::string_view type, std::string_view status, const std::string& body) {
  std::string document = R"({"mtype":)";
  document.append(type).append(R"(,"seq":)").append(seq).append(R"(,"serviceMethod":"","status":)").append(status);
  return Framed(document + R"(,"meta":"{}","bodyCodec":106,"body":)" + body + "}");
}

std::string Body(int32_t seq) { return R"("\")" + Letters(seq) + R"(\"")"; }

TEST_CASE("a CALL is laid out as Go's") {
  CHECK(CallOf(Wire(), 0, 7) ==
        Framed(R"({"seq":7,"mtype":1,"serviceMethod":"/bench/echo","status":)" + std::string(kOkInString) +
               R"(,"meta":"{}","bodyCodec":106,"body":)" + Body(7) + "}"));
  CHECK(CallOf(Wire(), 0, 12345).size() == CallOf(Wire(), 0, 7).size() + 4);
}

TEST_CASE("a REPLY may be laid out in any way") {
  CHECK(Settle(Wire(), Reply("7", "2", kOkInString, Body(7))) == "7");
  CHECK(Settle(Wire(), Reply("7", "2", kOkStatus, Body(7))) == "7");
  CHECK(Settle(Wire(), Reply("7", "2", R"("")", Body(7))) == "7");
  CHECK(Settle(Wire(), Reply("7", "2", kOkInString, Body(7)) + "more") == "7");
}

TEST_CASE("a REPLY must be whole, OK and the call's own") {
  const std::string good = Reply("7", "2", kOkInString, Body(7));
  for (size_t size = 0; size < good.size(); size++) REQUIRE(Settle(Wire(), good.substr(0, size)) == "partial");
  CHECK(Settle(Wire(), Reply("7", "1", kOkInString, Body(7))) == "type is not REPLY");
  CHECK(Settle(Wire(), Reply("x", "2", kOkInString, Body(7))) == "seq is no int32");
  CHECK(Settle(Wire(), Reply("7", "2", R"("{\"code\":404}")", Body(7))) == "status is not OK");
  CHECK(Settle(Wire(), Reply("8", "2", kOkInString, Body(7))) == "wrong body");
  CHECK(Settle(Wire(), good, 1) == "wrong body");
  CHECK(Settle(Wire(), Reply("7", "2", kOkInString, '"' + Letters(7) + '"')) == "wrong body");
  CHECK(Settle(Wire(), Reply("7", "2", kOkInString, R"("\"")")) == "wrong body");
  CHECK(Settle(Wire(), Framed("[]")) == "its payload is no JSON object");
  CHECK(Settle(Wire(), std::string("\0\0\0\0\0", 5)) == "bad");
  CHECK(Settle(Wire(), std::string("\xff\0\0\0\0", 5)) == "bad");
}

}  // namespace
}  // namespace dmicro_bench
