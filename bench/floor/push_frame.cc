#include "push_frame.h"

#include "common/base36.h"
#include "common/raw_frame.h"

namespace dmicro_bench {
namespace {

void AppendByte(size_t value, std::string* out) { out->push_back(static_cast<char>(value)); }

// With its big-endian length before it.
void AppendBytes16(std::string_view bytes, std::string* out) {
  AppendByte(bytes.size() >> 8, out);
  AppendByte(bytes.size(), out);
  *out += bytes;
}

}  // namespace

std::string PushFrame(int32_t seq, std::string_view method, std::string_view body) {
  char seq_text[kMaxSeqText];
  const size_t seq_size = EncodeSeq(seq, seq_text);
  std::string frame(4, '\0');  // its size, set below
  AppendByte(kVersion, &frame);
  AppendByte(0, &frame);  // no filters
  AppendByte(seq_size, &frame);
  frame.append(seq_text, seq_size);
  AppendByte(kPush, &frame);
  AppendByte(method.size(), &frame);
  frame += method;
  AppendBytes16(kOkStatus, &frame);
  AppendBytes16(kEmptyMeta, &frame);
  AppendByte(kJsonCodec, &frame);
  frame += body;
  StoreBe32(frame.data(), static_cast<uint32_t>(frame.size()));
  return frame;
}

}  // namespace dmicro_bench
