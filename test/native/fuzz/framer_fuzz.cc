#include "feeder.h"

// Checks that a stream read in chunks gives what the same stream gives in one piece: the same messages, the same end.
//
// The first bytes of the input choose the circumstances (kChoices below), the rest is the stream.

namespace dmicro {
namespace {

enum Choice : size_t { kChunks, kLimit, kFlags, kZeros, kStop, kChoices };

constexpr uint32_t kMaxMessage[] = {kMinFrame, 64, 512, 4096, 10'000, 70'000, 1 << 20, UINT32_MAX};

// Messages and end of a stream, read without a framer.
struct Whole {
  std::vector<Message> messages;
  Parse parse = Parse::kMore;
  CloseReason reason = CloseReason::kLocal;
  size_t unfinished = 0;
};

Whole ReadWhole(const std::string& stream, const FrameLimits& limits) {
  Whole whole;
  const Exact memory(stream);
  for (Bytes rest = memory; rest.size != 0;) {
    uint32_t total;
    whole.parse = CheckPrefix(rest, limits, &total, &whole.reason);
    if (whole.parse == Parse::kBad) break;
    if (whole.parse == Parse::kMore || rest.size < total) {
      whole.parse = Parse::kMore;
      whole.unfinished = rest.size;
      break;
    }
    RawMessage message;
    whole.parse = UnpackRaw({rest.data, total}, &message, &whole.reason) ? Parse::kMore : Parse::kBad;
    if (whole.parse == Parse::kBad) break;
    whole.messages.push_back(Own(message));
    rest = {rest.data + total, rest.size - total};
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

void Check(const uint8_t* choices, std::string stream) {
  const FrameLimits limits{kMaxMessage[choices[kLimit] % 8], choices[kLimit] / 8u};
  // Zeros are appended to any input that announces more than it has, so that small inputs reach large frames too.
  stream.append(choices[kZeros] * size_t{128}, '\0');
  const Whole whole = ReadWhole(stream, limits);

  Feeder feeder(limits, Framer::kMinScratch + (choices[kFlags] & 0xfcu) * 100);
  feeder.release = (choices[kFlags] & 1) != 0;
  if ((choices[kFlags] & 2) != 0) feeder.stop_after = 1 + choices[kStop] % 16u;
  Chunks chunks(choices[kChunks]);
  for (std::string_view rest = stream; !rest.empty() && feeder.Open();)
    rest.remove_prefix(feeder.Read(rest.substr(0, chunks.Next())));

  const size_t expected = std::min(whole.messages.size(), feeder.stop_after);
  Require(feeder.messages.size() == expected, "as many messages");
  for (size_t i = 0; i < expected; i++) Require(feeder.messages[i] == whole.messages[i], "the same messages");
  if (feeder.count == feeder.stop_after) {
    Require(feeder.framer.held() == 0, "a stopped framer holds nothing");
    return;
  }
  Require(feeder.parse == whole.parse, "the same end");
  if (whole.parse == Parse::kBad) {
    Require(feeder.reason == whole.reason, "the same reason");
  } else {
    Require(feeder.framer.held() == whole.unfinished, "the same unfinished frame");
  }
}

}  // namespace
}  // namespace dmicro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= dmicro::kChoices) dmicro::Check(data, dmicro::TextOf({data + dmicro::kChoices, size - dmicro::kChoices}));
  return 0;
}
