#include "protocols/websocket_frame.h"

#include <cstring>

namespace dmicro_bench {
namespace {

constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;

uint64_t LoadBe(const char* bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; i++) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

void PutClientHeader(uint8_t opcode, size_t payload, uint32_t mask, char* out) {
  const size_t size = ClientHeaderSize(payload);
  out[0] = static_cast<char>(kFinal | opcode);
  const uint8_t length = size == 6 ? static_cast<uint8_t>(payload) : size == 8 ? kLength16 : kLength64;
  out[1] = static_cast<char>(kMasked | length);
  const size_t mask_at = size - sizeof mask;
  for (size_t i = mask_at, rest = payload; i > 2; rest >>= 8) out[--i] = static_cast<char>(rest);
  memcpy(out + mask_at, &mask, sizeof mask);
}

void Mask(uint32_t mask, char* bytes, size_t size) {
  const uint64_t wide = static_cast<uint64_t>(mask) << 32 | mask;
  size_t at = 0;
  for (; size - at >= sizeof wide; at += sizeof wide) {
    uint64_t word;
    memcpy(&word, bytes + at, sizeof word);
    word ^= wide;
    memcpy(bytes + at, &word, sizeof word);
  }
  for (; at < size; at++) bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(mask >> at % 4 * 8));
}

Parse CutServerFrame(std::string_view received, size_t max_payload, ServerFrame* frame) {
  if (received.size() < 2) return Parse::kPartial;
  const auto first = static_cast<uint8_t>(received[0]);
  const auto length = static_cast<uint8_t>(received[1]);
  if ((first & 0xF0) != kFinal || (length & kMasked) != 0) return Parse::kBad;
  const size_t extra = length == kLength64 ? 8 : length == kLength16 ? 2 : 0;
  const size_t header = 2 + extra;
  if (received.size() < header) return Parse::kPartial;
  const uint64_t payload = extra == 0 ? length : LoadBe(received.data() + 2, extra);
  if (payload > max_payload || (extra == 2 && payload < kLength16) || (extra == 8 && payload <= 0xFFFF)) {
    return Parse::kBad;
  }
  frame->size = header + static_cast<size_t>(payload);
  if (received.size() < frame->size) return Parse::kPartial;
  frame->opcode = first & 15;
  frame->payload = received.substr(header, static_cast<size_t>(payload));
  return Parse::kWhole;
}

}  // namespace dmicro_bench
