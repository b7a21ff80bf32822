#pragma once

#include "wire/check.h"
#include "wire/envelope.h"

namespace dmicro {

// Splits the bytes of one connection into frames. Bytes are read into memory that the caller shares among connections
// ("scratch"). Whole frames are parsed in place, and only an unfinished one is kept here, in memory that grows with the
// bytes received and never with the size announced. The time is linear in the bytes, whatever the chunks.
class Framer {
 public:
  Framer() = default;
  ~Framer();
  Framer(const Framer&) = delete;
  Framer& operator=(const Framer&) = delete;

  struct Space {
    uint8_t* data;
    size_t size;
  };

  // Maximum bytes that a connection may send while they are peeked at; fewer than kDirectFrom, so that they are always
  // read into scratch.
  static constexpr size_t kMaxPeek = 2 * 1024;

  // Returns where the next bytes go: into `scratch` (behind the few bytes of an unfinished frame, which are copied to
  // its front), or into the memory of the framer while a long frame is unfinished. Requires at least kMinScratch bytes
  // of `scratch`.
  Space Reserve(Space scratch);

  static constexpr size_t kMinScratch = 5 * 1024;

  // Takes the `n` bytes that were read into the space from Reserve (0 to parse held bytes with another framing), and
  // calls `on_frame(const RawMessage&, Bytes frame, bool in_scratch)` for each whole frame. When on_frame returns false
  // the rest of the bytes is dropped; the framer must not be fed again. A frame that is not in scratch is borrowed
  // until on_frame returns, unless on_frame takes its memory with Release(). Returns kMore, or kBad with *reason after
  // on_frame was called for the frames before the bad one.
  template <typename OnFrame>
  Parse Commit(size_t n, const FrameLimits& limits, CloseReason* reason, OnFrame&& on_frame);

  // Gives the space from Reserve back: nothing was read.
  void Cancel() { space_ = 0; }

  // Where the bytes that are read after Reserve lie.
  uint8_t* space() { return (direct_ ? held_ : base_) + held_size_; }

  // Drops the first `n` bytes that were peeked at.
  void Skip(size_t n);

  // Moves the bytes that were peeked at to `scratch`, and returns their number: nothing is held afterwards.
  size_t GiveBack(uint8_t* scratch);

  // Number of bytes of the unfinished frame.
  size_t held() const { return held_size_; }

  // Gives the memory of the frame, allocated with malloc, to the caller. Requires a call from inside on_frame, for a
  // frame that is not in scratch.
  uint8_t* Release();

 private:
  // A frame with fewer bytes held and fewer bytes missing is completed in scratch: a small copy saves a read for the
  // rest of the frame.
  static constexpr size_t kDirectFrom = 4 * 1024;

  static bool Unpack(Bytes frame, const FrameLimits& limits, RawMessage* message, CloseReason* reason) {
    if (limits.framing == Framing::kRaw) return UnpackRaw(frame, message, reason);
    SetUnparsed(frame, message);
    return true;
  }

  void Hold(const uint8_t* data, size_t size, uint32_t total);
  void Grow(size_t capacity);
  void Drop();

  uint8_t* held_ = nullptr;
  size_t held_size_ = 0;
  size_t held_capacity_ = 0;
  uint32_t total_ = 0;       // announced size of the unfinished frame, 0 while unknown
  bool direct_ = false;      // the last Reserve returned memory of the framer
  size_t space_ = 0;         // bytes that the last Reserve returned and Commit may take
  uint8_t* base_ = nullptr;  // start of the bytes to parse, when Reserve returned scratch
};

template <typename OnFrame>
Parse Framer::Commit(size_t n, const FrameLimits& limits, CloseReason* reason, OnFrame&& on_frame) {
  DMICRO_ASSERT(n <= space_);
  space_ = 0;
  RawMessage message;
  if (direct_) {
    held_size_ += n;
    if (held_size_ < total_) return Parse::kMore;
    const Bytes frame{held_, held_size_};
    if (!Unpack(frame, limits, &message, reason)) return Parse::kBad;
    on_frame(message, frame, false);
    Drop();
    return Parse::kMore;
  }
  const uint8_t* at = base_;
  const uint8_t* const end = base_ + held_size_ + n;
  Drop();
  if (limits.framing >= Framing::kStream && at != end) {
    const Bytes bytes{at, static_cast<size_t>(end - at)};
    if (limits.framing == Framing::kPeek) Hold(bytes.data, bytes.size, static_cast<uint32_t>(bytes.size));
    SetUnparsed(bytes, &message);
    on_frame(message, bytes, true);
    return Parse::kMore;
  }
  while (at != end) {
    const Bytes rest{at, static_cast<size_t>(end - at)};
    uint32_t total;
    const Parse prefix = limits.framing == Framing::kRaw ? CheckPrefix(rest, limits, &total, reason)
                                                         : CheckEnvelope(rest, limits, &total, reason);
    if (prefix == Parse::kBad) return prefix;
    if (prefix == Parse::kMore || rest.size < total) {
      Hold(at, rest.size, total);
      return Parse::kMore;
    }
    const Bytes frame{at, total};
    if (!Unpack(frame, limits, &message, reason)) return Parse::kBad;
    if (!on_frame(message, frame, true)) return Parse::kMore;
    at += total;
  }
  return Parse::kMore;
}

}  // namespace dmicro
