#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/raw_frame.h"
#include "options.h"
#include "sent_body.h"

namespace dmicro_bench {

inline Options OptionsOf(size_t body_bytes) {
  Options options{};
  options.host = "127.0.0.1";
  options.port = 8080;
  options.method = "/bench/echo";
  options.codec = kJsonCodec;
  options.in_flight = 1;
  options.body_bytes = body_bytes;
  return options;
}

// The body of one call and its tag.
inline std::string BodyOf(size_t bytes, uint32_t connection, int32_t seq) {
  const SentBody body(OptionsOf(bytes), SentBody::Form::kPlain);
  std::string text = body.Text();
  body.Put(connection, seq, text.data());
  return text;
}

template <typename Wire>
std::string CallOf(const Wire& wire, uint32_t connection, int32_t seq) {
  std::vector<char> bytes(wire.MaxSize());
  return {bytes.data(), wire.Build(connection, seq, bytes.data())};
}

// Result for received bytes, in a copy of exactly their size: "partial", "bad", what is wrong with the reply, "wrong
// body", or the seq that the reply answers.
template <typename Wire>
std::string Settle(const Wire& wire, std::string_view received, uint32_t connection = 0) {
  const std::unique_ptr<char[]> copy(new char[received.size()]);
  memcpy(copy.get(), received.data(), received.size());
  typename Wire::Reply reply{};
  const Parse parsed = wire.Cut({copy.get(), received.size()}, &reply);
  if (parsed != Parse::kWhole) return parsed == Parse::kPartial ? "partial" : "bad";
  int32_t seq = 0;
  const char* problem = wire.Check(reply, &seq);
  if (problem != nullptr) return problem;
  if constexpr (Wire::kMayOmitSeq) {
    if (!reply.has_seq) return "in order";
  }
  return wire.IsBody(connection, seq, reply) ? std::to_string(seq) : "wrong body";
}

inline std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? "nothing to replace" : text.replace(at, from.size(), to);
}

}  // namespace dmicro_bench
