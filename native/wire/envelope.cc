#include "wire/envelope.h"

#include "wire/check.h"

namespace dmicro {

Parse CheckEnvelope(Bytes bytes, const FrameLimits& limits, uint32_t* total, CloseReason* reason) {
  const auto bad = [reason](CloseReason why) {
    *reason = why;
    return Parse::kBad;
  };
  DMICRO_ASSERT(limits.max_message <= INT32_MAX);  // so that no sum here overflows
  *total = 0;
  if (bytes.size < 4) return Parse::kMore;
  const uint32_t size = LoadBig32(bytes.data);
  if (size < 1) return bad(CloseReason::kTooShort);
  if (size > limits.max_message || size + 4 > limits.max_message) return bad(CloseReason::kTooLarge);
  *total = size + 4;
  if (bytes.size < kEnvelopePrefix) return Parse::kMore;
  const uint8_t filters = bytes.data[kEnvelopePrefix - 1];
  if (filters > limits.max_filters) return bad(CloseReason::kFilterCount);
  if (size < 1u + filters) return bad(CloseReason::kTooShort);
  return Parse::kDone;
}

void SetUnparsed(Bytes bytes, RawMessage* message) {
  *message = {};
  message->type = kTypeUnparsed;
  message->method = message->status = message->meta = {bytes.data, 0};
  message->body = bytes;
}

}  // namespace dmicro
