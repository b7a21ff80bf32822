#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base36.h"
#include "common/raw_frame.h"
#include "options.h"
#include "sent_body.h"

namespace dmicro_bench {

// The CALL frames of a run in the raw protocol, and what a REPLY to them must be.
class Raw {
 public:
  using Reply = RawFrame;
  static constexpr bool kMayOmitSeq = false;
  static constexpr bool kIsText = false;  // as WebSocket messages

  explicit Raw(const Options& options);

  size_t MaxSize() const { return kBeforeSeq + kMaxSeqText + tail_.size(); }
  // Writes one frame to `out`, which has MaxSize() bytes, and returns its size.
  size_t Build(uint32_t connection, int32_t seq, char* out) const;

  Parse Cut(std::string_view received, Reply* reply) const { return ParseFrame(received, max_reply_, reply); }
  // Checks all of a REPLY but its body, which needs the seq to be known as outstanding first. Returns nullptr and
  // the seq, or what is wrong.
  const char* Check(const Reply& reply, int32_t* seq) const;
  bool IsBody(uint32_t connection, int32_t seq, const Reply& reply) const {
    return body_.Is(connection, seq, reply.body);
  }

 private:
  static constexpr size_t kBeforeSeq = 7;  // total, version, filter count, seq length

  SentBody body_;
  uint8_t codec_;
  size_t max_reply_;
  std::string tail_;    // all that follows the seq, with one of the bodies
  size_t body_offset_;  // in tail_
};

// The raw form of an OK status is fixed (docs/spec/wire.md#status), or empty.
inline const char* Raw::Check(const Reply& reply, int32_t* seq) const {
  if (reply.version != kVersion) return "version is not 1";
  if (!reply.filters.empty()) return "it has transfer filters, the CALL had none";
  if (reply.type != kReply) return "type is not REPLY";
  if (!DecodeSeq(reply.seq, seq)) return "seq is no base-36 int32";
  if (!reply.method.empty()) return "a REPLY has no service method";
  if (reply.status != kOkStatus && !reply.status.empty()) return "status is not OK";
  if (reply.meta != kEmptyMeta && (reply.meta.size() < 2 || reply.meta.front() != '{' || reply.meta.back() != '}')) {
    return "meta is no JSON object";
  }
  if (reply.codec != codec_) return "body codec is not the call's";
  return nullptr;
}

}  // namespace dmicro_bench
