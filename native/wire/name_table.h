#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/bytes.h"

namespace dmicro {

// Service methods as small numbers. The upper layer numbers its names 0, 1, 2 … and adds them in that order; received
// names are only looked up, so no peer can make the table grow.
class NameTable {
 public:
  NameTable();

  // False when `id` is not the next number.
  bool Add(uint32_t id, Bytes name);
  // -1 when unknown.
  int32_t Find(Bytes name) const;
  // Empty when `id` is unknown.
  Bytes At(int32_t id) const;

 private:
  void Link(int32_t id);

  std::vector<std::string> names_;
  std::vector<int32_t> next_;     // names_ with the same bucket, as a chain of ids
  std::vector<int32_t> buckets_;  // power of two
};

}  // namespace dmicro
