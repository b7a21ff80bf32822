#include "feeder.h"

// Checks envelopes, streams and bytes that were peeked at: read in chunks they give what one piece gives, as in
// framer_fuzz.cc.
//
// The first bytes of the input choose the circumstances (kChoices below), the rest is the stream.

namespace dmicro {
namespace {

enum Choice : size_t { kChunks, kLimit, kFlags, kPeeked, kZeros, kChoices };

// Limits of messages, up to the widest that an endpoint can have.
constexpr uint32_t kMaxMessage[] = {5, 64, 512, 4096, 10'000, 70'000, 1 << 20, 0x7fffffff};
constexpr Framing kCut[] = {Framing::kEnvelope, Framing::kRaw, Framing::kStream, Framing::kEnvelope};

struct Whole {
  std::vector<std::string> frames;
  Parse parse = Parse::kMore;
  CloseReason reason = CloseReason::kLocal;
  size_t unfinished = 0;
};

// Messages and end of a stream, read without a framer.
Whole ReadWhole(const std::string& stream, const FrameLimits& limits) {
  Whole whole;
  const Exact memory(stream);
  for (Bytes rest = memory; rest.size != 0;) {
    uint32_t total;
    const Parse parse = limits.framing == Framing::kRaw ? CheckPrefix(rest, limits, &total, &whole.reason)
                                                        : CheckEnvelope(rest, limits, &total, &whole.reason);
    whole.parse = parse;
    if (parse == Parse::kBad) break;
    if (parse == Parse::kMore || rest.size < total) {
      whole.parse = Parse::kMore;
      whole.unfinished = rest.size;
      break;
    }
    if (limits.framing == Framing::kRaw) {
      RawMessage message;
      whole.parse = UnpackRaw({rest.data, total}, &message, &whole.reason) ? Parse::kMore : Parse::kBad;
      if (whole.parse == Parse::kBad) break;
    }
    Require(total >= kEnvelopePrefix && total <= limits.max_message, "a frame is of a size that is allowed");
    whole.frames.push_back(TextOf({rest.data, total}));
    rest = {rest.data + total, rest.size - total};
    whole.parse = Parse::kMore;
  }
  return whole;
}

// Chunk sizes from one byte: the low half gives their size, the high half how they vary.
class Chunks {
 public:
  explicit Chunks(uint8_t choice) : most_(size_t{1} << (choice % 16)), seed_(choice / 16u) {}

  size_t Next() {
    seed_ = seed_ * 1664525 + 1013904223;
    return 1 + (seed_ >> 8) % most_;
  }

 private:
  const size_t most_;
  uint32_t seed_;
};

// A connection as the reactor has it: first peeked at, then framed.
struct Reader {
  Framer framer;
  Exact scratch{std::string(Framer::kMinScratch, '\xa5')};
  FrameLimits limits;
  Parse parse = Parse::kMore;
  CloseReason reason = CloseReason::kLocal;
  std::vector<std::string> frames;
  bool release = false;

  // Reads as many of `bytes` as there is room for; returns how many.
  size_t Read(std::string_view bytes) {
    const size_t held = framer.held();
    const bool peek = limits.framing == Framing::kPeek;
    const size_t room = peek ? Framer::kMaxPeek : Framer::kMinScratch;
    const Framer::Space space = framer.Reserve({scratch.data(), room});
    const bool shared = space.data == scratch.data() + held;
    if (!shared) Require(held + space.size <= std::max<size_t>(4096, 2 * held), "memory grows with bytes received");
    const size_t n = std::min(space.size, bytes.size());
    if (n != 0) std::memcpy(space.data, bytes.data(), n);
    parse = framer.Commit(n, limits, &reason, [&](const RawMessage& message, Bytes frame, bool in_scratch) {
      Require(in_scratch == shared, "in_scratch tells where the frame lies");
      if (peek) Require(frame.size == held + n, "a peek shows all that came");
      if (limits.framing != Framing::kRaw) {
        Require(message.type == kTypeUnparsed && message.body.data == frame.data && message.body.size == frame.size,
                "what is not taken apart is one body");
      }
      if (!peek) frames.push_back(TextOf(frame));
      if (release && !in_scratch) std::free(framer.Release());
      return true;
    });
    if (shared) std::memset(scratch.data(), 0xa5, Framer::kMinScratch);
    return n;
  }
};

void Check(const uint8_t* choices, std::string stream) {
  stream.append(choices[kZeros] * size_t{128}, '\0');
  const FrameLimits limits{kMaxMessage[choices[kLimit] % 8], choices[kLimit] / 8u, kCut[choices[kFlags] % 4]};
  Reader reader;
  reader.limits = limits;
  reader.release = (choices[kFlags] & 4) != 0;
  Chunks chunks(choices[kChunks]);
  std::string_view rest = stream;

  const size_t peeked = std::min({stream.size(), Framer::kMaxPeek, choices[kPeeked] * size_t{9}});
  if (peeked != 0) {
    reader.limits.framing = Framing::kPeek;
    for (size_t left = peeked; left != 0;) {
      const size_t n = reader.Read(rest.substr(0, std::min(left, chunks.Next())));
      rest.remove_prefix(n);
      left -= n;
    }
    Require(reader.framer.held() == peeked, "what was peeked at is held");
    reader.limits.framing = limits.framing;
    reader.Read("");
  }
  while (!rest.empty() && reader.parse == Parse::kMore) rest.remove_prefix(reader.Read(rest.substr(0, chunks.Next())));

  if (limits.framing == Framing::kStream) {
    std::string all;
    for (const std::string& part : reader.frames) all += part;
    Require(all == stream && reader.framer.held() == 0 && reader.parse == Parse::kMore, "a stream is handed on whole");
    return;
  }
  const Whole whole = ReadWhole(stream, limits);
  Require(reader.frames == whole.frames, "the same frames");
  Require(reader.parse == whole.parse, "the same end");
  if (whole.parse == Parse::kBad) {
    Require(reader.reason == whole.reason, "the same reason");
  } else {
    Require(reader.framer.held() == whole.unfinished, "the same unfinished frame");
  }
}

}  // namespace
}  // namespace dmicro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= dmicro::kChoices) dmicro::Check(data, dmicro::TextOf({data + dmicro::kChoices, size - dmicro::kChoices}));
  return 0;
}
