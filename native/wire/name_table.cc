#include "wire/name_table.h"

namespace dmicro {
namespace {

// FNV-1a. Only our own names are stored, so no peer can choose names that collide.
uint32_t Hash(Bytes name) {
  uint32_t hash = 0x811c9dc5u;
  for (size_t i = 0; i < name.size; i++) hash = (hash ^ name.data[i]) * 0x01000193u;
  return hash ^ hash >> 15;
}

}  // namespace

NameTable::NameTable() : buckets_(256, -1) {}

bool NameTable::Add(uint32_t id, Bytes name) {
  if (id != names_.size()) return false;
  names_.emplace_back(reinterpret_cast<const char*>(name.data), name.size);
  next_.push_back(-1);
  if (names_.size() <= buckets_.size()) {
    Link(static_cast<int32_t>(id));
  } else {
    buckets_.assign(buckets_.size() * 4, -1);
    for (size_t i = 0; i < names_.size(); i++) Link(static_cast<int32_t>(i));
  }
  return true;
}

int32_t NameTable::Find(Bytes name) const {
  int32_t id = buckets_[Hash(name) & (buckets_.size() - 1)];
  for (; id != -1; id = next_[static_cast<size_t>(id)]) {
    const std::string& known = names_[static_cast<size_t>(id)];
    // An empty name may have a null pointer, which memcmp does not accept.
    if (known.size() == name.size && (name.size == 0 || std::memcmp(known.data(), name.data, name.size) == 0)) break;
  }
  return id;
}

Bytes NameTable::At(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= names_.size()) return {};
  const std::string& name = names_[static_cast<size_t>(id)];
  return {reinterpret_cast<const uint8_t*>(name.data()), name.size()};
}

void NameTable::Link(int32_t id) {
  const Bytes name = At(id);
  int32_t& bucket = buckets_[Hash(name) & (buckets_.size() - 1)];
  next_[static_cast<size_t>(id)] = bucket;
  bucket = id;
}

}  // namespace dmicro
