#pragma once

#include <cstdint>
#include <vector>

#include "io/connection.h"

namespace dmicro {

// Connections by slot number. A freed slot is used again with another generation, and only after the upper layer has
// read that the old connection closed. So a stale number never reaches a new connection.
class ConnectionTable {
 public:
  // Returns false when all kMaxSlots are taken.
  bool Add(Connection* connection);
  // Makes Find fail for the connection. Its slot stays taken until Free.
  void Retire(Connection* connection);
  void Free(int32_t slot) {
    DMICRO_ASSERT(slot >= 0 && static_cast<size_t>(slot) < entries_.size());
    DMICRO_ASSERT(entries_[static_cast<size_t>(slot)].connection == nullptr);
    free_.push_back(slot);
  }

  Connection* Find(int32_t slot, int32_t generation) const {
    if (slot < 0 || static_cast<size_t>(slot) >= entries_.size()) return nullptr;
    const Entry& entry = entries_[static_cast<size_t>(slot)];
    return entry.generation == generation ? entry.connection : nullptr;
  }

  template <typename F>
  void Each(F&& f) const {
    for (size_t i = 0; i < entries_.size(); i++) {
      if (entries_[i].connection != nullptr) f(entries_[i].connection);
    }
  }

 private:
  struct Entry {
    Connection* connection;
    int32_t generation;
  };
  std::vector<Entry> entries_;
  std::vector<int32_t> free_;
};

}  // namespace dmicro
