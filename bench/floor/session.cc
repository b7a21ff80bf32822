#include "session.h"

#include <sys/socket.h>

#include <optional>

#include "common/base36.h"
#include "reply_frame.h"

namespace dmicro_bench {
namespace {

constexpr size_t kMaxMessage = 16 << 20;

}  // namespace

ssize_t Session::Receive(int flags, bool* full) {
  const std::span<char> space = input_.Space(scratch_);
  const ssize_t count = recv(fd_, space.data(), space.size(), flags);
  if (count > 0) {
    received_ = input_.Received(scratch_, static_cast<size_t>(count));
    *full = static_cast<size_t>(count) == space.size();
  }
  return count;
}

bool Session::AnswerReceived() {
  std::string_view rest = received_;
  RawFrame frame;
  for (;;) {
    const Parse parsed = ParseFrame(rest, kMaxMessage, &frame);
    if (parsed == Parse::kPartial) break;
    if (parsed == Parse::kBad || !Answer(frame)) return false;
    rest.remove_prefix(frame.size);
  }
  input_.Keep(rest);
  return true;
}

bool Session::Answer(const RawFrame& frame) {
  if (!frame.filters.empty()) return false;  // none is registered here
  int32_t seq;
  if (!DecodeSeq(frame.seq, &seq)) return false;
  // A real server flags the two constant forms here and decodes any other; Go drops an empty meta.
  if (frame.status != kOkStatus && !frame.status.empty() && frame.status.front() != '{') return false;
  if (frame.meta != kEmptyMeta && (frame.meta.empty() || frame.meta.front() != '{')) return false;
  if (frame.type == kPush) return true;
  if (frame.type != kCall) return false;
  if (methods_.Find(frame.method) == Methods::kUnknown) {
    AppendNotFound(seq, &output_);
    return true;
  }
  const std::optional<std::string_view> body = objects_ == nullptr ? frame.body : objects_->Answer(frame.body);
  if (body) AppendReply(seq, frame.codec, *body, &output_);
  return body.has_value();
}

}  // namespace dmicro_bench
