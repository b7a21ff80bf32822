#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/raw_frame.h"
#include "options.h"
#include "protocols/split_call.h"

namespace dmicro_bench {

// The jsonrpc protocol (docs/spec/wire.md#jsonrpc): a JSON object on each line.
class JsonRpc {
 public:
  struct Reply {
    size_t size;
    std::string_view line;
    std::string_view result;
  };
  static constexpr bool kMayOmitSeq = false;

  explicit JsonRpc(const Options& options);

  size_t MaxSize() const { return call_.MaxSize(); }
  size_t Build(uint32_t connection, int32_t seq, char* out) const;
  Parse Cut(std::string_view received, Reply* reply) const;
  // Fills in the reply's result.
  const char* Check(Reply& reply, int32_t* seq) const;
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
    return !reply.result.empty() && call_.Sent().Is(connection, seq, reply.result);
  }

 private:
  SplitCall call_;
  size_t max_reply_;
};

}  // namespace dmicro_bench
