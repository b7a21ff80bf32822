#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "common/raw_frame.h"
#include "options.h"

namespace dmicro_bench {

// Builds the CALL frames of a run and knows which body each must get back. Unless a body was given, it is a JSON
// string whose first characters are a tag made from connection and seq: a server that mixes up two calls, or two
// connections, cannot pass for an echo.
class CallFrame {
 public:
  explicit CallFrame(const Options& options);

  size_t MaxSize() const;
  // Writes one frame to `out`, which has MaxSize() bytes, and returns its size.
  size_t Build(uint32_t connection, int32_t seq, char* out) const;
  bool IsBody(uint32_t connection, int32_t seq, std::string_view body) const;
  size_t BodyBytes() const { return body_bytes_; }
  uint8_t Codec() const { return codec_; }

 private:
  // 'A' to 'P' for each of 32 bits' nibbles: letters, because no JSON encoder escapes them.
  static uint64_t Tag(uint32_t connection, int32_t seq) {
    // Odd factors: different seqs of a connection always differ in their tag.
    const uint64_t mixed = (static_cast<uint32_t>(seq) * 0x9E3779B1u) ^ (connection * 0x85EBCA77u);
    uint64_t nibbles = (mixed | mixed << 16) & 0x0000FFFF0000FFFF;
    nibbles = (nibbles | nibbles << 8) & 0x00FF00FF00FF00FF;
    nibbles = (nibbles | nibbles << 4) & 0x0F0F0F0F0F0F0F0F;
    return nibbles + 0x4141414141414141;
  }

  std::string tail_;  // all that follows the seq, with a blank tag
  uint8_t codec_;
  size_t body_bytes_;
  size_t body_offset_;  // in tail_
  size_t tag_bytes_;    // 0: the body has no tag
};

inline bool CallFrame::IsBody(uint32_t connection, int32_t seq, std::string_view body) const {
  if (body.size() != body_bytes_ || body[0] != tail_[body_offset_]) return false;
  const uint64_t tag = Tag(connection, seq);
  if (memcmp(body.data() + 1, &tag, tag_bytes_) != 0) return false;
  const size_t fill = 1 + tag_bytes_;
  return memcmp(body.data() + fill, tail_.data() + body_offset_ + fill, body_bytes_ - fill) == 0;
}

}  // namespace dmicro_bench
