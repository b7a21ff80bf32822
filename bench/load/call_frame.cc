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

std::string JsonString(size_t bytes) {
  std::string body(1, '"');
  for (size_t i = 0; i < bytes - 2; i++) body.push_back(static_cast<char>('a' + i % 26));
  return body + '"';
}

}  // namespace

CallFrame::CallFrame(const Options& options)
    : codec_(options.codec),
      body_bytes_(options.body_bytes),
      tag_bytes_(options.body.empty() ? std::min<size_t>(8, options.body_bytes - 2) : 0) {
  tail_.push_back(static_cast<char>(kCall));
  tail_.push_back(static_cast<char>(options.method.size()));
  tail_ += options.method;
  AppendBe16(&tail_, kOkStatus.size());
  tail_ += kOkStatus;
  AppendBe16(&tail_, kEmptyMeta.size());
  tail_ += kEmptyMeta;
  tail_.push_back(static_cast<char>(codec_));
  body_offset_ = tail_.size();
  tail_ += options.body.empty() ? JsonString(options.body_bytes) : options.body;
}

size_t CallFrame::MaxSize() const { return kBeforeSeq + kMaxSeqText + tail_.size(); }

size_t CallFrame::Build(uint32_t connection, int32_t seq, char* out) const {
  const size_t seq_size = EncodeSeq(seq, out + kBeforeSeq);
  char* tail = out + kBeforeSeq + seq_size;
  memcpy(tail, tail_.data(), tail_.size());
  const uint64_t tag = Tag(connection, seq);
  memcpy(tail + body_offset_ + 1, &tag, tag_bytes_);

  const size_t size = kBeforeSeq + seq_size + tail_.size();
  StoreBe32(out, static_cast<uint32_t>(size));
  out[4] = static_cast<char>(kVersion);
  out[5] = 0;
  out[6] = static_cast<char>(seq_size);
  return size;
}

}  // namespace dmicro_bench
