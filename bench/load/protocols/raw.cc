#include "protocols/raw.h"

#include <cstring>

#include "reply_limit.h"

namespace dmicro_bench {
namespace {

void AppendBe16(std::string* out, size_t value) {
  out->push_back(static_cast<char>(value >> 8));
  out->push_back(static_cast<char>(value));
}

}  // namespace

Raw::Raw(const Options& options)
    : body_(options, SentBody::Form::kPlain), codec_(options.codec), max_reply_(MaxReply(options)) {
  tail_.push_back(static_cast<char>(kCall));
  tail_.push_back(static_cast<char>(options.method.size()));
  tail_ += options.method;
  AppendBe16(&tail_, kOkStatus.size());
  tail_ += kOkStatus;
  AppendBe16(&tail_, kEmptyMeta.size());
  tail_ += kEmptyMeta;
  tail_.push_back(static_cast<char>(codec_));
  body_offset_ = tail_.size();
  tail_ += body_.Text();
}

size_t Raw::Build(uint32_t connection, int32_t seq, char* out) const {
  const size_t seq_size = EncodeSeq(seq, out + kBeforeSeq);
  char* tail = out + kBeforeSeq + seq_size;
  memcpy(tail, tail_.data(), tail_.size());
  body_.Put(connection, seq, tail + body_offset_);

  const size_t size = kBeforeSeq + seq_size + tail_.size();
  StoreBe32(out, static_cast<uint32_t>(size));
  out[4] = static_cast<char>(kVersion);
  out[5] = 0;
  out[6] = static_cast<char>(seq_size);
  return size;
}

}  // namespace dmicro_bench
