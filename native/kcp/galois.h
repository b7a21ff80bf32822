#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dmicro {

// Arithmetic of GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1, that of the Reed-Solomon codes of Go's packages.

uint8_t GaloisMultiply(uint8_t a, uint8_t b);

// Adds `factor * from[i]` to `to[i]` for `n` bytes.
void AddProduct(uint8_t* to, const uint8_t* from, size_t n, uint8_t factor);
// The same without the instructions for vectors.
void AddProductPlain(uint8_t* to, const uint8_t* from, size_t n, uint8_t factor);

// A matrix of bytes, row by row.
struct GaloisMatrix {
  GaloisMatrix(size_t row_count, size_t column_count)
      : rows(row_count), columns(column_count), cells(row_count * column_count) {}
  uint8_t* Row(size_t r) { return cells.data() + r * columns; }
  const uint8_t* Row(size_t r) const { return cells.data() + r * columns; }

  size_t rows, columns;
  std::vector<uint8_t> cells;
};

// Inverts a square matrix, which is used up. Returns false when it has no inverse.
bool Invert(GaloisMatrix* matrix, GaloisMatrix* inverse);

// The matrix by which `data` shards become all shards: the upper part is the identity, row `data + i` makes parity `i`.
// A Vandermonde matrix times the inverse of its upper square, as klauspost/reedsolomon makes it. Requires at most 256
// shards.
std::shared_ptr<const GaloisMatrix> CodingMatrix(size_t data, size_t parity);

}  // namespace dmicro
