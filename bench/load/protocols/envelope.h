#pragma once

#include <cstddef>
#include <string_view>

#include "common/raw_frame.h"

namespace dmicro_bench {

// The envelope (docs/spec/wire.md#envelope): u32 size of what follows | u8 n, n filter ids |
// the payload. Ours have no filters.
inline constexpr size_t kEnvelope = 5;

struct Enveloped {
  size_t size;
  bool filtered;
  std::string_view payload;
};

inline Parse CutEnvelope(std::string_view received, size_t max_size, Enveloped* message) {
  if (received.size() < kEnvelope) return Parse::kPartial;
  const size_t size = size_t{4} + LoadBe32(received.data());
  if (size < kEnvelope || size > max_size) return Parse::kBad;
  if (received.size() < size) return Parse::kPartial;
  *message = {size, received[4] != 0, received.substr(kEnvelope, size - kEnvelope)};
  return Parse::kWhole;
}

// Completes a message of `size` bytes, whose first ones were left for it.
inline void PutEnvelope(char* message, size_t size) {
  StoreBe32(message, static_cast<uint32_t>(size - 4));
  message[4] = 0;
}

}  // namespace dmicro_bench
