#include <algorithm>

#include "message.h"

// Checks that arbitrary bytes are refused, or are a message that is the same after packing and unpacking.
//
// The input is tried as it is, and as the payload of a frame whose prefix is right.

namespace dmicro {
namespace {

constexpr FrameLimits kLimits{1 << 20, 4};

// Checks that more bytes never change a decision that was made.
Parse Judge(Bytes input, uint32_t* total) {
  Parse last = Parse::kMore;
  CloseReason last_reason = CloseReason::kLocal;
  for (size_t size = 0; size <= std::min(input.size, kPrefixSize + 1); size++) {
    CloseReason reason = CloseReason::kLocal;
    const Parse parse = CheckPrefix(Exact({reinterpret_cast<const char*>(input.data), size}), kLimits, total, &reason);
    Require(last == Parse::kMore || (parse == last && reason == last_reason), "a judgement stands");
    Require(parse != Parse::kDone || size >= kPrefixSize, "a good prefix needs six bytes");
    last = parse;
    last_reason = reason;
  }
  return last;
}

void CheckFields(Bytes frame, const RawMessage& message) {
  const uint8_t* const end = frame.data + frame.size;
  const uint8_t* at = frame.data + kPrefixSize + 1 + 1 + 1;  // behind the shortest seq and the type
  for (const Bytes& run : {message.method, message.status, message.meta, message.body}) {
    Require(run.data >= at && run.data <= end, "fields lie in order");
    Require(run.size <= static_cast<size_t>(end - run.data), "a field ends in its frame");
    at = run.data + run.size;
  }
  Require(at == end, "the body ends the frame");
  Require(message.type >= kTypeCall && message.type <= kTypeLast, "a known type");
  Require(message.method.size <= kMaxMethod && message.status.size <= kMaxStatus && message.meta.size <= kMaxMeta,
          "fields as long as their lengths can say");
}

bool Unpack(const std::string& frame, Message* message) {
  const Exact memory(frame);
  RawMessage raw;
  CloseReason reason = CloseReason::kLocal;
  if (!UnpackRaw(memory, &raw, &reason)) {
    Require(reason == CloseReason::kOverrun || reason == CloseReason::kSeq || reason == CloseReason::kType,
            "one of three reasons");
    return false;
  }
  CheckFields(memory, raw);
  *message = Own(raw);
  return true;
}

// A frame with filters stays unparsed.
void CheckFiltered(const std::string& frame) {
  const Exact memory(frame);
  RawMessage raw;
  CloseReason reason;
  Require(UnpackRaw(memory, &raw, &reason), "any bytes may be behind filters");
  Require(Own(raw) == Message{0, kTypeUnparsed, "", "", "", 0, frame}, "the body is the frame");
}

void CheckRoundTrip(const std::string& frame) {
  if (frame[kPrefixSize - 1] != 0) return CheckFiltered(frame);
  Message message, again;
  if (!Unpack(frame, &message)) return;
  const std::string packed = Pack(message);
  uint32_t total;
  Require(Judge(BytesOf(packed), &total) == Parse::kDone && total == packed.size(), "the prefix says the size");
  Require(Unpack(packed, &again) && again == message, "the same message");
  Require(Pack(again) == packed, "the same bytes");
}

}  // namespace
}  // namespace dmicro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dmicro;
  const std::string input = TextOf({data, size});
  uint32_t total = 0;
  if (Judge(BytesOf(input), &total) == Parse::kDone && size >= total) CheckRoundTrip(input.substr(0, total));
  CheckRoundTrip(FrameOf(input));
  return 0;
}
