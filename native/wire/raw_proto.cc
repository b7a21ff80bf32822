#include "wire/raw_proto.h"

#include "wire/base36.h"
#include "wire/check.h"
#include "wire/envelope.h"

namespace dmicro {
namespace {

constexpr char kStatusOk[] = R"({"code":0,"msg":"","cause":""})";
constexpr char kMetaNone[] = "{}";

template <size_t N>
constexpr Bytes Literal(const char (&text)[N]) {
  return {reinterpret_cast<const uint8_t*>(text), N - 1};
}

size_t SeqSize(int32_t seq) {
  uint8_t digits[kBase36Max];
  return static_cast<size_t>(WriteBase36(digits, seq) - digits);
}

}  // namespace

Parse CheckPrefix(Bytes bytes, const FrameLimits& limits, uint32_t* total, CloseReason* reason) {
  const auto bad = [reason](CloseReason why) {
    *reason = why;
    return Parse::kBad;
  };
  *total = 0;
  if (bytes.size < 4) return Parse::kMore;
  *total = LoadBig32(bytes.data);
  if (*total < kMinFrame) return bad(CloseReason::kTooShort);
  if (*total > limits.max_message) return bad(CloseReason::kTooLarge);
  if (bytes.size < 5) return Parse::kMore;
  if (bytes.data[4] != kRawVersion) return bad(CloseReason::kVersion);
  if (bytes.size < 6) return Parse::kMore;
  const uint8_t filters = bytes.data[5];
  if (filters > limits.max_filters) return bad(CloseReason::kFilterCount);
  if (*total < kPrefixSize + filters) return bad(CloseReason::kTooShort);
  return Parse::kDone;
}

bool UnpackRaw(Bytes frame, RawMessage* message, CloseReason* reason) {
  DMICRO_ASSERT(frame.size >= kPrefixSize);
  if (frame.data[kPrefixSize - 1] != 0) {
    SetUnparsed(frame, message);
    return true;
  }
  Reader reader({frame.data + kPrefixSize, frame.size - kPrefixSize});
  *reason = CloseReason::kOverrun;
  Bytes seq;
  if (!reader.Bytes8(&seq)) return false;
  if (!ReadBase36(seq, &message->seq)) {
    *reason = CloseReason::kSeq;
    return false;
  }
  if (!reader.U8(&message->type)) return false;
  if (message->type < kTypeCall || message->type > kTypeLast) {
    *reason = CloseReason::kType;
    return false;
  }
  if (!reader.Bytes8(&message->method) || !reader.Bytes16(&message->status) || !reader.Bytes16(&message->meta) ||
      !reader.U8(&message->codec)) {
    return false;
  }
  if (Equals(message->status, kStatusOk)) message->status.size = 0;
  if (Equals(message->meta, kMetaNone)) message->meta.size = 0;
  message->body = reader.Rest();
  return true;
}

size_t PackedSize(const RawMessage& message) {
  return HeaderBound(message) - kBase36Max + SeqSize(message.seq) + message.body.size;
}

size_t HeaderBound(const RawMessage& message) {
  const size_t status = message.status.size != 0 ? message.status.size : sizeof kStatusOk - 1;
  const size_t meta = message.meta.size != 0 ? message.meta.size : sizeof kMetaNone - 1;
  return kPrefixSize + 1 + kBase36Max + 1 + 1 + message.method.size + 2 + status + 2 + meta + 1;
}

uint8_t* PackHeader(uint8_t* out, const RawMessage& message) {
  DMICRO_ASSERT(message.method.size <= kMaxMethod && message.status.size <= kMaxStatus &&
                message.meta.size <= kMaxMeta && message.body.size <= INT32_MAX);
  const Bytes status = message.status.size != 0 ? message.status : Literal(kStatusOk);
  const Bytes meta = message.meta.size != 0 ? message.meta : Literal(kMetaNone);
  uint8_t* const frame = out;
  uint8_t* const seq = frame + kPrefixSize;
  out = WriteBase36(seq + 1, message.seq);
  *seq = static_cast<uint8_t>(out - seq - 1);
  *out++ = message.type;
  *out++ = static_cast<uint8_t>(message.method.size);
  out = StoreBytes(out, message.method);
  out = StoreBytes(StoreBig16(out, static_cast<uint32_t>(status.size)), status);
  out = StoreBytes(StoreBig16(out, static_cast<uint32_t>(meta.size)), meta);
  *out++ = message.codec;
  StoreBig32(frame, static_cast<uint32_t>(static_cast<size_t>(out - frame) + message.body.size));
  frame[4] = kRawVersion;
  frame[5] = 0;
  return out;
}

}  // namespace dmicro
