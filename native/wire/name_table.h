#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/bytes.h"

namespace dmicro {

// Small numbers for service methods. The upper layer numbers its names 0, 1, 2 … and adds them in that order; received
// names are only looked up, so no peer can make the table grow.
class NameTable {
 public:
  NameTable();

  // Returns false when `id` is not the next number.
  bool Add(uint32_t id, Bytes name);
  // Returns -1 when the name is unknown.
  int32_t Find(Bytes name) const;
  // Returns no bytes when `id` is unknown.
  Bytes At(int32_t id) const;

 private:
  void Link(int32_t id);

  std::vector<std::string> names_;
  std::vector<int32_t> next_;     // by id: the next id with the same bucket, or -1
  std::vector<int32_t> buckets_;  // first id by hash; the size is a power of two
};

}  // namespace dmicro
