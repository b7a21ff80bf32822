#pragma once

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "message.h"
#include "wire/framer.h"

namespace dmicro {

inline constexpr FrameLimits kLimits{16 * 1024 * 1024, 4};

// Drives a framer as the reactor does: Reserve, read, Commit; between two reads the scratch belongs to others. The
// promises of framer.h about memory are checked as well.
class Feeder {
 public:
  explicit Feeder(FrameLimits frame_limits = kLimits, size_t scratch_size = Framer::kMinScratch)
      : limits(frame_limits), scratch_(std::string(scratch_size, '\xa5')) {}

  // Reads as many of `bytes` as the framer has room for, once. Returns how many.
  size_t Read(std::string_view bytes) {
    const size_t held = framer.held();
    const Bytes whole = scratch_;
    const Framer::Space space = framer.Reserve({scratch_.data(), whole.size});
    Require(space.size != 0, "there is always room to read into");
    const bool shared = space.data == scratch_.data() + held;
    if (!shared) Require(held + space.size <= std::max<size_t>(4096, 2 * held), "memory grows with bytes received");
    const size_t n = std::min(space.size, bytes.size());
    if (n != 0) std::memcpy(space.data, bytes.data(), n);
    parse = framer.Commit(n, limits, &reason, [this](const RawMessage& message, Bytes frame, bool shares) {
      return OnFrame(message, frame, shares);
    });
    if (shared && n != 0) std::memset(scratch_.data(), 0xa5, held + n);
    return n;
  }

  // Reads at most `chunk` bytes at a time until all are taken, the stream is bad or on_frame has stopped.
  Parse Feed(std::string_view bytes, size_t chunk = SIZE_MAX) {
    while (!bytes.empty() && Open()) bytes.remove_prefix(Read(bytes.substr(0, chunk)));
    return parse;
  }

  bool Open() const { return parse == Parse::kMore && count < stop_after; }

  Framer framer;
  const FrameLimits limits;
  Parse parse = Parse::kMore;
  CloseReason reason = CloseReason::kLocal;
  std::vector<Message> messages;
  std::vector<bool> in_scratch;  // one for each message
  bool release = false;          // take the memory of frames that are not in scratch
  bool keep = true;              // false: count the messages without keeping copies
  size_t count = 0;              // messages
  size_t stop_after = SIZE_MAX;  // on_frame returns false from this many messages on

 private:
  bool OnFrame(const RawMessage& message, Bytes frame, bool shared) {
    const Bytes whole = scratch_;
    const bool inside = frame.data >= whole.data && frame.data + frame.size <= whole.data + whole.size;
    Require(inside == shared, "in_scratch tells where the frame lies");
    for (const Bytes& run : {message.method, message.status, message.meta, message.body}) {
      Require(run.data >= frame.data && run.data + run.size <= frame.data + frame.size, "a field lies in its frame");
    }
    count++;
    if (keep) {
      messages.push_back(Own(message));
      in_scratch.push_back(shared);
    }
    if (release && !shared) {
      uint8_t* const memory = framer.Release();
      Require(memory == frame.data, "Release gives the frame's memory");
      std::free(memory);
    }
    return count < stop_after;
  }

  Exact scratch_;
};

}  // namespace dmicro
