#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dmicro_bench {

// Service method -> number, as a real server has it: a small open-addressed hash table, filled at the start.
class Methods {
 public:
  static constexpr int kUnknown = -1;

  // For at most half as many names as there are entries.
  void Add(std::string_view name, int number) {
    size_t i = Hash(name) % kEntries;
    while (entries_[i].number != kUnknown) i = (i + 1) % kEntries;
    entries_[i] = {std::string(name), number};
  }

  int Find(std::string_view name) const {
    for (size_t i = Hash(name) % kEntries;; i = (i + 1) % kEntries) {
      const Entry& entry = entries_[i];
      if (entry.number == kUnknown || entry.name == name) return entry.number;
    }
  }

 private:
  static constexpr size_t kEntries = 64;
  struct Entry {
    std::string name;
    int number = kUnknown;
  };

  // The first and the last eight bytes and the length: names of one service share their start.
  static size_t Hash(std::string_view name) {
    uint64_t first = 0, last = 0;
    const size_t taken = name.size() < 8 ? name.size() : 8;
    memcpy(&first, name.data(), taken);
    memcpy(&last, name.data() + name.size() - taken, taken);
    const uint64_t mixed = (first ^ (last << 1 | last >> 63) ^ name.size()) * 0x9E3779B97F4A7C15;
    return mixed >> 40;
  }

  std::array<Entry, kEntries> entries_;
};

}  // namespace dmicro_bench
