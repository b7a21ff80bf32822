#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "sent_body.h"

namespace dmicro_bench {

// A CALL as the bytes before its seq and those after it: all but the seq and the body is the same in every call.
// It is made from its beginning to its end.
class SplitCall {
 public:
  explicit SplitCall(const SentBody& body) : body_(body) {}

  SplitCall& Text(std::string_view text) {
    Side() += text;
    return *this;
  }
  // The seq, whose text differs from call to call.
  SplitCall& Seq() {
    seq_seen_ = true;
    return *this;
  }
  SplitCall& Body() {
    body_after_ = seq_seen_;
    body_offset_ = Side().size();
    Side() += body_.Text();
    return *this;
  }

  size_t MaxSize() const { return before_.size() + kMaxSeq + after_.size(); }
  size_t Build(uint32_t connection, int32_t seq, std::string_view seq_text, char* out) const {
    memcpy(out, before_.data(), before_.size());
    memcpy(out + before_.size(), seq_text.data(), seq_text.size());
    char* after = out + before_.size() + seq_text.size();
    memcpy(after, after_.data(), after_.size());
    body_.Put(connection, seq, (body_after_ ? after : out) + body_offset_);
    return before_.size() + seq_text.size() + after_.size();
  }
  const SentBody& Sent() const { return body_; }

 private:
  static constexpr size_t kMaxSeq = 11;  // "-2147483648"

  std::string& Side() { return seq_seen_ ? after_ : before_; }

  SentBody body_;
  std::string before_;
  std::string after_;
  bool seq_seen_ = false;
  bool body_after_ = false;
  size_t body_offset_ = 0;
};

}  // namespace dmicro_bench
