#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dmicro_bench {

// What every call of a run carries and must get back. Unless a body was given, it is a JSON string whose first
// characters are a tag made from connection and seq: a server that mixes up two calls, or two connections, cannot pass
// for an echo.
class TaggedBody {
 public:
  // `given` is sent as it is; when it is empty, a JSON string of `bytes` bytes with its quotes.
  TaggedBody(const std::string& given, size_t bytes);

  // With a blank tag.
  const std::string& Text() const { return text_; }
  // The letters between the quotes of the JSON string.
  std::string_view Inside() const { return std::string_view(text_).substr(1, text_.size() - 2); }
  // Where the tag begins.
  static constexpr size_t kTagOffset = 1;

  void PutTag(uint32_t connection, int32_t seq, char* at) const {
    const uint64_t tag = Tag(connection, seq);
    memcpy(at, &tag, tag_bytes_);
  }

  bool Is(uint32_t connection, int32_t seq, std::string_view body) const {
    if (body.size() != text_.size() || body[0] != text_[0]) return false;
    const uint64_t tag = Tag(connection, seq);
    if (memcmp(body.data() + kTagOffset, &tag, tag_bytes_) != 0) return false;
    const size_t fill = kTagOffset + tag_bytes_;
    return memcmp(body.data() + fill, text_.data() + fill, text_.size() - fill) == 0;
  }

  // The same of the letters alone, for protocols that escape the quotes.
  bool IsInside(uint32_t connection, int32_t seq, std::string_view letters) const {
    const std::string_view wanted = Inside();
    if (letters.size() != wanted.size()) return false;
    const uint64_t tag = Tag(connection, seq);
    return memcmp(letters.data(), &tag, tag_bytes_) == 0 && letters.substr(tag_bytes_) == wanted.substr(tag_bytes_);
  }

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

  std::string text_;
  size_t tag_bytes_;  // 0: the body has no tag
};

}  // namespace dmicro_bench
