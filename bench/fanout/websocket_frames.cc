#include "websocket_frames.h"

#include <algorithm>

namespace dmicro_bench {
namespace {

constexpr size_t kShort = 125;
constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kMasked = 0x80;

// The header's size, from its first two bytes; a server does not mask.
size_t HeaderSize(const std::string& header) {
  const uint8_t length = static_cast<uint8_t>(header[1]) & 0x7F;
  return length <= kShort ? 2 : length == 126 ? 4 : 10;
}

}  // namespace

bool WebSocketFrames::Next(std::string_view* bytes) {
  if (!in_payload_ && !TakeHeader(bytes)) return false;
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(left_, bytes->size()));
  start_ += bytes->substr(0, std::min(taken, kShort - start_.size()));
  bytes->remove_prefix(taken);
  left_ -= taken;
  in_payload_ = left_ != 0;
  return !in_payload_;
}

bool WebSocketFrames::TakeHeader(std::string_view* bytes) {
  // That of the frame before is complete: this is where the next begins.
  if (header_.size() >= 2 && header_.size() == HeaderSize(header_)) header_.clear();
  while (header_.size() < 2 || header_.size() < HeaderSize(header_)) {
    if (bytes->empty()) return false;
    header_ += bytes->front();
    bytes->remove_prefix(1);
  }
  start_.clear();
  left_ = static_cast<uint8_t>(header_[1]) & 0x7F;
  if (left_ > kShort) {
    left_ = 0;
    for (size_t i = 2; i < header_.size(); i++) left_ = left_ << 8 | static_cast<uint8_t>(header_[i]);
  }
  in_payload_ = true;
  return true;
}

void WebSocketFrames::Append(uint8_t opcode, std::string_view payload, std::string* out) {
  out->push_back(static_cast<char>(kFinal | opcode));
  out->push_back(static_cast<char>(kMasked | payload.size()));
  out->append(4, '\0');
  out->append(payload);
}

}  // namespace dmicro_bench
