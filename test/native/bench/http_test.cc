#include "protocols/http.h"

#include <doctest/doctest.h>

#include "wire.h"

namespace dmicro_bench {
namespace {

const Http& Wire() {
  static const Http wire(OptionsOf(16));
  return wire;
}

TEST_CASE("a CALL has Go's headers and a Host") {
  CHECK(CallOf(Wire(), 3, 12) ==
        "POST /bench/echo HTTP/1.1\r\nAccept-Encoding: gzip\r\nContent-Length: 16\r\n"
        "Content-Type: application/json;charset=utf-8\r\nHost: 127.0.0.1:8080\r\n"
        "User-Agent: drpc-httpproto/1.1\r\nX-Mtype: 1\r\nX-Seq: 12\r\n\r\n" +
            BodyOf(16, 3, 12));
}

TEST_CASE("a REPLY names its call, or comes in order") {
  const std::string body = BodyOf(16, 3, 12);
  const std::string go =
      "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nContent-Type: application/json;charset=utf-8\r\nX-Mtype: 2\r\nX-Seq: "
      "12\r\n\r\n" +
      body;
  const std::string node =
      "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 16\r\nDate: Sun, 22 Nov "
      "2026 "
      "20:00:00 GMT\r\nConnection: keep-alive\r\n\r\n" +
      body;
  CHECK(Settle(Wire(), go, 3) == "12");
  CHECK(Settle(Wire(), go + node, 3) == "12");
  CHECK(Settle(Wire(), node, 3) == "in order");
  for (size_t size = 0; size < go.size(); size++) REQUIRE(Settle(Wire(), go.substr(0, size), 3) == "partial");
  CHECK(Settle(Wire(), go, 2) == "wrong body");
  CHECK(Settle(Wire(), Replaced(go, ": 12", ": 13"), 3) == "wrong body");
  CHECK(Settle(Wire(), Replaced(go, ": 12", ": x"), 3) == "X-Seq is no int32");
  CHECK(Settle(Wire(), Replaced(go, "200 OK", "299 Business Error"), 3) == "it is not HTTP/1.1 200 OK");
  CHECK(Settle(Wire(), Replaced(go, "application/json", "text/plain"), 3) == "Content-Type is not the call's");
  CHECK(Settle(Wire(), Replaced(go, "X-Mtype", "Content-Encoding"), 3) == "it is encoded");
  CHECK(Settle(Wire(), Replaced(go, "Content-Length", "Content-Size"), 3) == "bad");
  CHECK(Settle(Wire(), Replaced(go, ": 16", ": 99999999"), 3) == "bad");
  CHECK(Settle(Wire(), std::string(1 << 20, 'x')) == "bad");
}

}  // namespace
}  // namespace dmicro_bench
