#include "sent_body.h"

#include <doctest/doctest.h>

#include <string>

#include "wire.h"

namespace dmicro_bench {
namespace {

std::string Sent(const SentBody& body, uint32_t connection, int32_t seq) {
  std::string text = body.Text();
  body.Put(connection, seq, text.data());
  return text;
}

TEST_CASE("a string is tagged by its call, quoted or not") {
  const SentBody plain(OptionsOf(16), SentBody::Form::kPlain);
  const SentBody quoted(OptionsOf(16), SentBody::Form::kQuoted);
  CHECK(Sent(quoted, 3, 7) == "\\" + Sent(plain, 3, 7).substr(0, 15) + "\\\"");
  CHECK(plain.Is(3, 7, Sent(plain, 3, 7)));
  CHECK(!plain.Is(3, 8, Sent(plain, 3, 7)));
  CHECK(!plain.Is(2, 7, Sent(plain, 3, 7)));
  CHECK(!plain.Is(3, 7, Sent(plain, 3, 7) + " "));
}

TEST_CASE("of given bodies each caller has its own") {
  Options options = OptionsOf(3);
  options.bodies = "\"a\"\"b\"\"c\"\"d\"";
  options.body_count = 4;
  options.in_flight = 2;
  const SentBody body(options, SentBody::Form::kPlain);
  CHECK(Sent(body, 0, 4) == "\"a\"");
  CHECK(Sent(body, 0, 5) == "\"b\"");
  CHECK(Sent(body, 1, 4) == "\"c\"");
  CHECK(Sent(body, 1, 7) == "\"d\"");
  CHECK(body.Is(1, 7, "\"d\""));
  CHECK(!body.Is(1, 6, "\"d\""));
  CHECK(Sent(SentBody(options, SentBody::Form::kQuoted), 1, 7) == "\\\"d\\\"");
}

}  // namespace
}  // namespace dmicro_bench
