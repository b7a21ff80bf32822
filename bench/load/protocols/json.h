#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "options.h"
#include "protocols/envelope.h"
#include "protocols/split_call.h"

namespace dmicro_bench {

// Protocol json (docs/spec/wire.md#json). CALLs are laid out as Go's, which all must read; a REPLY may be laid out
// as its sender likes.
class Json {
 public:
  struct Reply : Enveloped {
    std::string_view body;  // as JSON has it: quoted, with escapes
  };
  static constexpr bool kMayOmitSeq = false;

  explicit Json(const Options& options);

  size_t MaxSize() const { return call_.MaxSize(); }
  size_t Build(uint32_t connection, int32_t seq, char* out) const;
  Parse Cut(std::string_view received, Reply* reply) const { return CutEnvelope(received, max_reply_, reply); }
  // Fills in the reply's body.
  const char* Check(Reply& reply, int32_t* seq) const;
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const;

 private:
  SplitCall call_;
  size_t max_reply_;
};

}  // namespace dmicro_bench
