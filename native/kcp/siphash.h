#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "wire/bytes.h"

namespace dmicro {

using SipKey = std::array<uint64_t, 2>;

// SipHash-2-4: a keyed hash whose results nobody without the key can foresee.
inline uint64_t SipHash(const SipKey& key, Bytes bytes) {
  const auto rotate = [](uint64_t x, int bits) { return x << bits | x >> (64 - bits); };
  uint64_t a = key[0] ^ 0x736f6d6570736575, b = key[1] ^ 0x646f72616e646f6d;
  uint64_t c = key[0] ^ 0x6c7967656e657261, d = key[1] ^ 0x7465646279746573;
  const auto rounds = [&](int n) {
    for (int i = 0; i < n; i++) {
      a += b, c += d;
      b = rotate(b, 13) ^ a, d = rotate(d, 16) ^ c;
      a = rotate(a, 32);
      c += b, a += d;
      b = rotate(b, 17) ^ c, d = rotate(d, 21) ^ a;
      c = rotate(c, 32);
    }
  };
  const auto word = [&bytes](size_t at, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= uint64_t{bytes.data[at + i]} << (8 * i);
    return value;
  };
  size_t at = 0;
  for (; at + 8 <= bytes.size; at += 8) {
    const uint64_t next = word(at, 8);
    d ^= next;
    rounds(2);
    a ^= next;
  }
  const uint64_t last = word(at, bytes.size - at) | uint64_t{bytes.size} << 56;
  d ^= last;
  rounds(2);
  a ^= last;
  c ^= 0xff;
  rounds(4);
  return a ^ b ^ c ^ d;
}

}  // namespace dmicro
