#include "reply_frame.h"

#include <cstring>

#include "common/base36.h"
#include "common/raw_frame.h"

namespace dmicro_bench {
namespace {

constexpr size_t kBeforeSeq = 7;  // total, version, filter count, seq length

// Type, no service method, status, meta `{}`. The escapes before a field are its big-endian length.
constexpr std::string_view kOkMiddle{"\x02\x00\x00\x1e{\"code\":0,\"msg\":\"\",\"cause\":\"\"}\x00\x02{}", 38};
constexpr std::string_view kNotFoundMiddle{
    "\x02\x00\x00\x29{\"code\":404,\"msg\":\"Not Found\",\"cause\":\"\"}\x00\x02{}", 49};
static_assert(kOkMiddle.size() == 4 + 0x1e + 4 && kOkMiddle.substr(4, 0x1e) == kOkStatus);
static_assert(kNotFoundMiddle.size() == 4 + 0x29 + 4 && kNotFoundMiddle.ends_with("{}"));

void Append(int32_t seq, std::string_view middle, uint8_t codec, std::string_view body, OutputQueue* output) {
  char* frame = output->Room(kBeforeSeq + kMaxSeqText + middle.size() + 1 + body.size());
  const size_t seq_size = EncodeSeq(seq, frame + kBeforeSeq);
  char* at = frame + kBeforeSeq + seq_size;
  memcpy(at, middle.data(), middle.size());
  at += middle.size();
  *at++ = static_cast<char>(codec);
  memcpy(at, body.data(), body.size());
  at += body.size();

  const size_t size = static_cast<size_t>(at - frame);
  StoreBe32(frame, static_cast<uint32_t>(size));
  frame[4] = static_cast<char>(kVersion);
  frame[5] = 0;
  frame[6] = static_cast<char>(seq_size);
  output->Commit(size);
}

}  // namespace

void AppendReply(int32_t seq, uint8_t codec, std::string_view body, OutputQueue* output) {
  Append(seq, kOkMiddle, codec, body, output);
}

void AppendNotFound(int32_t seq, OutputQueue* output) { Append(seq, kNotFoundMiddle, 0, "", output); }

}  // namespace dmicro_bench
