#include "sent_body.h"

#include <algorithm>
#include <bit>

#include "common/fail.h"

namespace dmicro_bench {
namespace {

std::string JsonString(size_t bytes) {
  std::string body(1, '"');
  for (size_t i = 0; i < bytes - 2; i++) body.push_back(static_cast<char>('a' + i % 26));
  return body + '"';
}

std::string InForm(std::string_view text, SentBody::Form form) {
  std::string result;
  for (const char c : text) {
    if (form == SentBody::Form::kQuoted && (c == '"' || c == '\\')) result.push_back('\\');
    result.push_back(c);
  }
  return result;
}

}  // namespace

SentBody::SentBody(const Options& options, Form form)
    : count_(options.body_count), slots_(std::bit_ceil(options.in_flight)), tag_offset_(0), tag_bytes_(0) {
  if (options.bodies.empty()) {
    text_ = InForm(JsonString(options.body_bytes), form);
    tag_offset_ = form == Form::kQuoted ? 2 : 1;
    tag_bytes_ = std::min<size_t>(8, options.body_bytes - 2);
    return;
  }
  for (size_t i = 0; i < count_; i++) {
    const std::string body =
        InForm(std::string_view(options.bodies).substr(i * options.body_bytes, options.body_bytes), form);
    if (i == 0) text_ = body;
    if (body.size() != text_.size()) Fail("the bodies of --body-file differ in length once they are quoted");
    given_ += body;
  }
}

}  // namespace dmicro_bench
