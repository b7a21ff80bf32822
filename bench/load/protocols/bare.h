#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/raw_frame.h"
#include "options.h"
#include "sent_body.h"

namespace dmicro_bench {

// Messages that are a body and nothing else, for servers that know no protocol: a reply is that of the oldest call.
class Bare {
 public:
  struct Reply {
    size_t size;
    bool has_seq;
    std::string_view body;
  };
  static constexpr bool kMayOmitSeq = true;
  static constexpr bool kIsText = true;

  explicit Bare(const Options& options) : body_(options, SentBody::Form::kPlain) {}

  size_t MaxSize() const { return body_.Text().size(); }
  size_t Build(uint32_t connection, int32_t seq, char* out) const {
    memcpy(out, body_.Text().data(), MaxSize());
    body_.Put(connection, seq, out);
    return MaxSize();
  }

  // `message` is a whole one: only what carries it knows where it ends.
  Parse Cut(std::string_view message, Reply* reply) const {
    *reply = {message.size(), false, message};
    return Parse::kWhole;
  }
  const char* Check(const Reply&, int32_t* seq) const {
    *seq = 0;  // it names none
    return nullptr;
  }
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
    return body_.Is(connection, seq, reply.body);
  }

 private:
  SentBody body_;
};

}  // namespace dmicro_bench
