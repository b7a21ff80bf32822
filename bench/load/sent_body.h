#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "options.h"

namespace dmicro_bench {

// What every call of a run carries and must get back. A server that mixes up two calls, or two connections, cannot pass
// for an echo: of given bodies each caller (a connection's slot) has one of its own as long as there are enough of
// them; otherwise the body is a JSON string whose first characters are a tag made from connection and seq.
class SentBody {
 public:
  // kQuoted: as it stands within a JSON string, with a backslash before every quote and backslash.
  enum class Form { kPlain, kQuoted };

  SentBody(const Options& options, Form form);

  // One of the bodies; all are as long as it is.
  const std::string& Text() const { return text_; }

  // Makes the call's own body of Text(), which stands at `at`.
  void Put(uint32_t connection, int32_t seq, char* at) const {
    if (tag_bytes_ != 0) {
      const uint64_t tag = Tag(connection, seq);
      memcpy(at + tag_offset_, &tag, tag_bytes_);
    } else if (count_ > 1) {
      memcpy(at, Given(connection, seq), text_.size());
    }
  }

  bool Is(uint32_t connection, int32_t seq, std::string_view body) const {
    if (body.size() != text_.size()) return false;
    if (!given_.empty()) return memcmp(body.data(), Given(connection, seq), body.size()) == 0;
    const uint64_t tag = Tag(connection, seq);
    const size_t after = tag_offset_ + tag_bytes_;
    return memcmp(body.data(), text_.data(), tag_offset_) == 0 &&
           memcmp(body.data() + tag_offset_, &tag, tag_bytes_) == 0 &&
           memcmp(body.data() + after, text_.data() + after, body.size() - after) == 0;
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

  // The caller's: the low bits of a seq are its slot (slots.h).
  const char* Given(uint32_t connection, int32_t seq) const {
    const uint32_t caller = connection * slots_ + (static_cast<uint32_t>(seq) & (slots_ - 1));
    return given_.data() + size_t{caller & (count_ - 1)} * text_.size();
  }

  std::string text_;
  std::string given_;  // all bodies, one after another; empty: a tagged string
  uint32_t count_;     // of them, a power of two
  uint32_t slots_;     // of a connection, a power of two
  size_t tag_offset_;
  size_t tag_bytes_;
};

}  // namespace dmicro_bench
