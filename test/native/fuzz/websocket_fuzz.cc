#include "websocket_peer.h"

// Checks the frames of WebSocket: read in chunks they give what one piece gives, never a message over the limit, and
// never a byte outside of the chunk (WsEcho reads memory of the exact size).
//
// The first bytes of the input choose the circumstances, the rest is the stream.

namespace dmicro {
namespace {

enum Choice : size_t { kChunk, kLimit, kFlags, kChoices };

constexpr uint64_t kMaxMessage[] = {0, 1, 125, 126, 1000, 65'535, 65'536, 1 << 20};

void Check(const uint8_t* choices, const std::string& stream) {
  const WsLimits limits{(choices[kFlags] & 1) != 0, (choices[kFlags] & 2) != 0, kMaxMessage[choices[kLimit] % 8]};
  WsEcho whole(limits);
  whole.Feed(stream);
  WsEcho parts(limits);
  parts.Feed(stream, 1 + choices[kChunk] % 64);
  // A message over the limit is refused at its header, so that what came before is the same.
  Require(whole.answers == parts.answers, "the same answers in any chunks");
  Require(whole.open == parts.open, "the same end");
  Require(whole.most <= limits.max_message && parts.most <= limits.max_message, "no message over the limit");
  if (whole.open) Require(whole.message == parts.message, "the same unfinished message");
}

}  // namespace
}  // namespace dmicro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= dmicro::kChoices) dmicro::Check(data, dmicro::TextOf({data + dmicro::kChoices, size - dmicro::kChoices}));
  return 0;
}
