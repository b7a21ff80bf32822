#pragma once

#include <cstddef>
#include <cstdint>

#include "call_frame.h"
#include "common/base36.h"
#include "common/raw_frame.h"

namespace dmicro_bench {

// A REPLY may carry meta and a status of its own, but nothing near this much.
inline constexpr size_t kReplySlack = 128 * 1024;

inline size_t MaxReply(const CallFrame& call) { return call.BodyBytes() + kReplySlack; }

// Checks all of a REPLY but its body, which needs the seq to be known as outstanding first. Returns nullptr and
// the seq, or what is wrong. The raw form of an OK status is fixed (spec/wire.md §2.3), or empty.
inline const char* CheckReplyHeader(const RawFrame& reply, uint8_t codec, int32_t* seq) {
  if (reply.version != kVersion) return "version is not 1";
  if (!reply.filters.empty()) return "it has transfer filters, the CALL had none";
  if (reply.type != kReply) return "type is not REPLY";
  if (!DecodeSeq(reply.seq, seq)) return "seq is no base-36 int32";
  if (!reply.method.empty()) return "a REPLY has no service method";
  if (reply.status != kOkStatus && !reply.status.empty()) return "status is not OK";
  if (reply.meta != kEmptyMeta && (reply.meta.size() < 2 || reply.meta.front() != '{' || reply.meta.back() != '}')) {
    return "meta is no JSON object";
  }
  if (reply.codec != codec) return "body codec is not the call's";
  return nullptr;
}

// Ends the program: which connection, what is wrong, and the start of the bytes.
[[noreturn, gnu::cold]] void FailReply(uint32_t connection, const char* problem, std::string_view bytes);

}  // namespace dmicro_bench
