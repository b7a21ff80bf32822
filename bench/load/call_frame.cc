#include "call_frame.h"

#include <algorithm>

#include "common/base36.h"

namespace dmicro_bench {
namespace {

constexpr size_t kBeforeSeq = 7;  // total, version, filter count, seq length

void AppendBe16(std::string* out, size_t value) {
  out->push_back(static_cast<char>(value >> 8));
  out->push_back(static_cast<char>(value));
}

}  // namespace

CallFrame::CallFrame(const std::string& method, size_t body_bytes)
    : body_bytes_(body_bytes), tag_bytes_(std::min<size_t>(8, body_bytes - 2)) {
  tail_.push_back(static_cast<char>(kCall));
  tail_.push_back(static_cast<char>(method.size()));
  tail_ += method;
  AppendBe16(&tail_, kOkStatus.size());
  tail_ += kOkStatus;
  AppendBe16(&tail_, kEmptyMeta.size());
  tail_ += kEmptyMeta;
  tail_.push_back(static_cast<char>(kJsonCodec));
  tag_offset_ = tail_.size() + 1;
  tail_.push_back('"');
  for (size_t i = 0; i < body_bytes - 2; i++) tail_.push_back(static_cast<char>('a' + i % 26));
  tail_.push_back('"');
}

size_t CallFrame::MaxSize() const { return kBeforeSeq + kMaxSeqText + tail_.size(); }

size_t CallFrame::Build(uint32_t connection, int32_t seq, char* out) const {
  const size_t seq_size = EncodeSeq(seq, out + kBeforeSeq);
  char* tail = out + kBeforeSeq + seq_size;
  memcpy(tail, tail_.data(), tail_.size());
  const uint64_t tag = Tag(connection, seq);
  memcpy(tail + tag_offset_, &tag, tag_bytes_);

  const size_t size = kBeforeSeq + seq_size + tail_.size();
  StoreBe32(out, static_cast<uint32_t>(size));
  out[4] = static_cast<char>(kVersion);
  out[5] = 0;
  out[6] = static_cast<char>(seq_size);
  return size;
}

}  // namespace dmicro_bench
