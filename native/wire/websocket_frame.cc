#include "wire/websocket_frame.h"

namespace dmicro {

uint8_t* PackWsHeader(uint8_t* out, WsOpcode opcode, uint64_t size, const uint8_t* mask, uint8_t bits) {
  *out++ = static_cast<uint8_t>(kWsFin | bits | static_cast<uint8_t>(opcode));
  const uint8_t masked = mask == nullptr ? 0 : 0x80;
  if (size < 126) {
    *out++ = static_cast<uint8_t>(masked | size);
  } else if (size <= 0xffff) {
    *out++ = masked | 126;
    out = StoreBig16(out, static_cast<uint32_t>(size));
  } else {
    *out++ = masked | 127;
    out = StoreBig32(out, static_cast<uint32_t>(size >> 32));
    out = StoreBig32(out, static_cast<uint32_t>(size));
  }
  return mask == nullptr ? out : StoreBytes(out, {mask, kWsMask});
}

void ApplyWsMask(uint8_t* to, const uint8_t* from, size_t size, const uint8_t* mask, size_t phase) {
  uint8_t key[2 * kWsMask];
  for (size_t i = 0; i < sizeof key; i++) key[i] = mask[(phase + i) % kWsMask];
  uint64_t word;
  std::memcpy(&word, key, sizeof word);
  // Bytes move towards the front, so that a block is read completely before it is overwritten.
  for (; size >= 32; size -= 32, to += 32, from += 32) {
    uint64_t block[4];
    std::memcpy(block, from, sizeof block);
    for (uint64_t& part : block) part ^= word;
    std::memcpy(to, block, sizeof block);
  }
  for (; size >= 8; size -= 8, to += 8, from += 8) {
    uint64_t part;
    std::memcpy(&part, from, sizeof part);
    part ^= word;
    std::memcpy(to, &part, sizeof part);
  }
  for (size_t i = 0; i < size; i++) to[i] = from[i] ^ key[i];
}

uint8_t* PackWsControl(uint8_t* out, WsOpcode opcode, Bytes payload, const uint8_t* mask) {
  DMICRO_ASSERT(payload.size <= kMaxWsControl);
  out = PackWsHeader(out, opcode, payload.size, mask);
  uint8_t* const end = StoreBytes(out, payload);
  if (mask != nullptr) ApplyWsMask(out, out, payload.size, mask);
  return end;
}

uint8_t* PackWsClose(uint8_t* out, uint16_t code, const uint8_t* mask) {
  uint8_t bytes[2];
  StoreBig16(bytes, code);
  return PackWsControl(out, WsOpcode::kClose, {bytes, code == kWsNoCode ? size_t{0} : sizeof bytes}, mask);
}

}  // namespace dmicro
