#pragma once

#include "wire/check.h"
#include "wire/envelope.h"

namespace dmicro {

// Cuts one connection's bytes into frames. Bytes are read into memory the caller shares among connections ("scratch");
// whole frames are parsed where they lie, and only an unfinished one is kept here, in memory that grows with the bytes
// received and never with the bytes announced. Feeding is linear in the bytes whatever their chunks.
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

  // Bytes that a connection may send while they are peeked at; fewer than are ever read into our own memory.
  static constexpr size_t kMaxPeek = 2 * 1024;

  // Where the next bytes go: `scratch` (behind the few bytes of an unfinished frame, which are copied to its front), or
  // the framer's own memory while a long frame is unfinished. `scratch` holds at least kMinScratch.
  Space Reserve(Space scratch);

  static constexpr size_t kMinScratch = 5 * 1024;

  // Takes the `n` bytes that were read into the space Reserve gave (0 to judge what is held by a new framing), and
  // calls `on_frame(const RawMessage&, Bytes frame, bool in_scratch)` for each whole frame; false from it stops (the
  // rest is dropped, the framer must not be fed again). A frame not in scratch is borrowed until on_frame returns,
  // unless that takes it with Release(). Returns kMore, or kBad with *reason after the frames before the bad one were
  // handed on.
  template <typename OnFrame>
  Parse Commit(size_t n, const FrameLimits& limits, CloseReason* reason, OnFrame&& on_frame);

  // Bytes of the unfinished frame.
  size_t held() const { return held_size_; }

  // Inside on_frame, for a frame not in scratch: the caller now owns the malloc'ed memory.
  uint8_t* Release();

 private:
  // A frame with fewer bytes held and fewer missing is finished in scratch: a small copy saves a read for the rest of
  // it.
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
  bool direct_ = false;      // the last Reserve gave our own memory
  size_t space_ = 0;         // bytes it gave, and Commit may take
  uint8_t* base_ = nullptr;  // start of the bytes to parse, when it gave scratch
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
