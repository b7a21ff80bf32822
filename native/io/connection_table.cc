#include "io/connection_table.h"

namespace dmicro {

bool ConnectionTable::Add(Connection* connection) {
  if (free_.empty()) {
    if (entries_.size() == kMaxSlots) return false;
    free_.push_back(static_cast<int32_t>(entries_.size()));
    entries_.push_back({nullptr, 0});
  }
  const int32_t slot = free_.back();
  free_.pop_back();
  Entry& entry = entries_[static_cast<size_t>(slot)];
  entry.connection = connection;
  connection->slot = slot;
  connection->generation = entry.generation;
  return true;
}

void ConnectionTable::Retire(Connection* connection) {
  DMICRO_ASSERT(Find(connection->slot, connection->generation) == connection);
  Entry& entry = entries_[static_cast<size_t>(connection->slot)];
  entry.connection = nullptr;
  entry.generation = static_cast<int32_t>(static_cast<uint32_t>(entry.generation) + 1);
}

}  // namespace dmicro
