#include "kcp/galois.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "wire/check.h"

#if defined(__x86_64__) || defined(__i386__)
#include <tmmintrin.h>
#define DMICRO_SSSE3
#elif defined(__aarch64__)
#include <arm_neon.h>
#define DMICRO_NEON
#endif

namespace dmicro {
namespace {

struct Tables {
  std::array<uint8_t, 510> exp{};
  std::array<uint8_t, 256> log{};
  // Products of each factor with the sixteen values of the low half of a byte, then of the high half.
  std::array<std::array<uint8_t, 32>, 256> halves{};
};

constexpr Tables MakeTables() {
  Tables tables;
  unsigned value = 1;
  for (size_t i = 0; i < 255; i++) {
    tables.exp[i] = tables.exp[i + 255] = static_cast<uint8_t>(value);
    tables.log[value] = static_cast<uint8_t>(i);
    value <<= 1;
    if (value > 255) value ^= 0x11d;
  }
  for (size_t factor = 1; factor < 256; factor++) {
    for (size_t half = 1; half < 16; half++) {
      const size_t log = tables.log[factor];
      tables.halves[factor][half] = tables.exp[log + tables.log[half]];
      tables.halves[factor][16 + half] = tables.exp[log + tables.log[half << 4]];
    }
  }
  return tables;
}

alignas(16) constexpr Tables kTables = MakeTables();

uint8_t Divide(uint8_t a, uint8_t b) {
  DMICRO_ASSERT(b != 0);
  return a == 0 ? 0 : kTables.exp[static_cast<size_t>(kTables.log[a] + 255 - kTables.log[b])];
}

uint8_t Power(uint8_t a, size_t n) {
  if (n == 0) return 1;
  return a == 0 ? 0 : kTables.exp[kTables.log[a] * n % 255];
}

// Returns how many bytes were done; the rest is for AddProductPlain.
#if defined(DMICRO_SSSE3)
__attribute__((target("ssse3"))) size_t AddProductVector(uint8_t* to, const uint8_t* from, size_t n,
                                                         const uint8_t* halves) {
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves));
  const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + 16));
  const __m128i mask = _mm_set1_epi8(15);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    const __m128i product = _mm_xor_si128(_mm_shuffle_epi8(low, _mm_and_si128(bytes, mask)),
                                          _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi64(bytes, 4), mask)));
    __m128i* const at = reinterpret_cast<__m128i*>(to + i);
    _mm_storeu_si128(at, _mm_xor_si128(_mm_loadu_si128(at), product));
  }
  return i;
}
bool HasVector() {
  static const bool has = __builtin_cpu_supports("ssse3") != 0;
  return has;
}
#elif defined(DMICRO_NEON)
size_t AddProductVector(uint8_t* to, const uint8_t* from, size_t n, const uint8_t* halves) {
  const uint8x16_t low = vld1q_u8(halves), high = vld1q_u8(halves + 16), mask = vdupq_n_u8(15);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const uint8x16_t bytes = vld1q_u8(from + i);
    const uint8x16_t product = veorq_u8(vqtbl1q_u8(low, vandq_u8(bytes, mask)), vqtbl1q_u8(high, vshrq_n_u8(bytes, 4)));
    vst1q_u8(to + i, veorq_u8(vld1q_u8(to + i), product));
  }
  return i;
}
bool HasVector() { return true; }
#else
size_t AddProductVector(uint8_t*, const uint8_t*, size_t, const uint8_t*) { return 0; }
bool HasVector() { return false; }
#endif

}  // namespace

uint8_t GaloisMultiply(uint8_t a, uint8_t b) {
  return a == 0 || b == 0 ? 0 : kTables.exp[static_cast<size_t>(kTables.log[a] + kTables.log[b])];
}

void AddProductPlain(uint8_t* to, const uint8_t* from, size_t n, uint8_t factor) {
  const std::array<uint8_t, 32>& halves = kTables.halves[factor];
  for (size_t i = 0; i < n; i++) {
    to[i] = static_cast<uint8_t>(to[i] ^ halves[from[i] & 15] ^ halves[16u + (from[i] >> 4)]);
  }
}

void AddProduct(uint8_t* to, const uint8_t* from, size_t n, uint8_t factor) {
  if (factor == 0) return;
  const size_t done = HasVector() ? AddProductVector(to, from, n, kTables.halves[factor].data()) : 0;
  AddProductPlain(to + done, from + done, n - done, factor);
}

bool Invert(GaloisMatrix* matrix, GaloisMatrix* inverse) {
  const size_t size = matrix->rows;
  DMICRO_ASSERT(matrix->columns == size && inverse->rows == size && inverse->columns == size);
  std::fill(inverse->cells.begin(), inverse->cells.end(), static_cast<uint8_t>(0));
  for (size_t i = 0; i < size; i++) inverse->Row(i)[i] = 1;
  for (size_t column = 0; column < size; column++) {
    size_t pivot = column;
    while (pivot < size && matrix->Row(pivot)[column] == 0) pivot++;
    if (pivot == size) return false;
    for (GaloisMatrix* each : {matrix, inverse})
      std::swap_ranges(each->Row(column), each->Row(column) + size, each->Row(pivot));
    const uint8_t scale = Divide(1, matrix->Row(column)[column]);
    for (GaloisMatrix* each : {matrix, inverse}) {
      uint8_t* const row = each->Row(column);
      for (size_t i = 0; i < size; i++) row[i] = GaloisMultiply(row[i], scale);
    }
    for (size_t r = 0; r < size; r++) {
      const uint8_t factor = matrix->Row(r)[column];
      if (r == column || factor == 0) continue;
      for (GaloisMatrix* each : {matrix, inverse}) AddProduct(each->Row(r), each->Row(column), size, factor);
    }
  }
  return true;
}

std::shared_ptr<const GaloisMatrix> CodingMatrix(size_t data, size_t parity) {
  DMICRO_ASSERT(data != 0 && data + parity <= 256);
  // Nearly all conversations of a process have the same one.
  static std::mutex mutex;
  static std::weak_ptr<const GaloisMatrix> last;
  const std::lock_guard lock(mutex);
  std::shared_ptr<const GaloisMatrix> known = last.lock();
  if (known != nullptr && known->columns == data && known->rows == data + parity) return known;
  GaloisMatrix powers(data + parity, data), top(data, data), inverse(data, data);
  for (size_t r = 0; r < data + parity; r++) {
    for (size_t c = 0; c < data; c++) powers.Row(r)[c] = Power(static_cast<uint8_t>(r), c);
  }
  std::copy_n(powers.cells.begin(), data * data, top.cells.begin());
  Invert(&top, &inverse);
  const auto made = std::make_shared<GaloisMatrix>(data + parity, data);
  for (size_t r = 0; r < data + parity; r++) {
    for (size_t c = 0; c < data; c++) AddProduct(made->Row(r), inverse.Row(c), data, powers.Row(r)[c]);
  }
  last = made;
  return made;
}

}  // namespace dmicro
