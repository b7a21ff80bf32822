#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "options.h"
#include "protocols/envelope.h"
#include "protocols/split_call.h"

namespace dmicro_bench {

// The protobuf protocol (docs/spec/wire.md#protobuf): an envelope around one proto3 message.
class Protobuf {
 public:
  struct Reply : Enveloped {
    std::string_view body;
  };
  static constexpr bool kMayOmitSeq = false;

  explicit Protobuf(const Options& options);

  size_t MaxSize() const { return call_.MaxSize(); }
  size_t Build(uint32_t connection, int32_t seq, char* out) const;
  Parse Cut(std::string_view received, Reply* reply) const { return CutEnvelope(received, max_reply_, reply); }
  // Fills in the reply's body.
  const char* Check(Reply& reply, int32_t* seq) const;
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
    return !reply.body.empty() && call_.Sent().Is(connection, seq, reply.body);
  }

 private:
  SplitCall call_;
  size_t max_reply_;
};

}  // namespace dmicro_bench
