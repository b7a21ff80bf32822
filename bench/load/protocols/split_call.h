#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tagged_body.h"

namespace dmicro_bench {

// A CALL as the bytes before its seq and those after it: all but the seq and the body's tag is the same in every call.
// It is made from its beginning to its end.
class SplitCall {
 public:
  explicit SplitCall(const TaggedBody& body) : body_(body) {}

  SplitCall& Text(std::string_view text) {
    Side() += text;
    return *this;
  }
  // The seq, whose text differs from call to call.
  SplitCall& Seq() {
    seq_seen_ = true;
    return *this;
  }
  // The body, a JSON string, with its quotes in the form they take here: they may be escaped, its letters are not.
  SplitCall& Body(std::string_view quote) {
    Side() += quote;
    tag_after_ = seq_seen_;
    tag_ = Side().size();
    Side().append(body_.Inside()).append(quote);
    return *this;
  }

  size_t MaxSize() const { return before_.size() + kMaxSeq + after_.size(); }
  size_t Build(uint32_t connection, int32_t seq, std::string_view seq_text, char* out) const {
    memcpy(out, before_.data(), before_.size());
    memcpy(out + before_.size(), seq_text.data(), seq_text.size());
    char* after = out + before_.size() + seq_text.size();
    memcpy(after, after_.data(), after_.size());
    body_.PutTag(connection, seq, (tag_after_ ? after : out) + tag_);
    return before_.size() + seq_text.size() + after_.size();
  }
  const TaggedBody& Sent() const { return body_; }

 private:
  static constexpr size_t kMaxSeq = 11;  // "-2147483648"

  std::string& Side() { return seq_seen_ ? after_ : before_; }

  TaggedBody body_;
  std::string before_;
  std::string after_;
  bool seq_seen_ = false;
  bool tag_after_ = false;
  size_t tag_ = 0;
};

}  // namespace dmicro_bench
