#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/raw_frame.h"
#include "options.h"
#include "protocols/split_call.h"

namespace dmicro_bench {

// Protocol http (docs/spec/wire.md#http): pipelined requests as Go's clients write them. Responses come in any order
// when they name their call, as Go's do; without X-Seq they come in the order of the requests, as HTTP has it.
class Http {
 public:
  struct Reply {
    size_t size;
    std::string_view head;  // with the empty line
    std::string_view body;
    bool has_seq;
  };
  static constexpr bool kMayOmitSeq = true;

  explicit Http(const Options& options);

  size_t MaxSize() const { return call_.MaxSize(); }
  size_t Build(uint32_t connection, int32_t seq, char* out) const;
  Parse Cut(std::string_view received, Reply* reply) const;
  // Fills in whether the reply has a seq.
  const char* Check(Reply& reply, int32_t* seq) const;
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
    return !reply.body.empty() && call_.Sent().Is(connection, seq, reply.body);
  }

 private:
  SplitCall call_;
  size_t max_reply_;
};

}  // namespace dmicro_bench
