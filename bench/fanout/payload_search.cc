#include "payload_search.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dmicro_bench {
namespace {

size_t CommonStart(const char* a, const char* b, size_t size) {
  // Mostly all of it matches, and memcmp is much faster than std::mismatch.
  if (memcmp(a, b, size) == 0) return size;
  return static_cast<size_t>(std::mismatch(a, a + size, b).first - a);
}

}  // namespace

PayloadSearch::PayloadSearch(std::string payload) : payload_(std::move(payload)), fallback_(payload_.size() + 1, 0) {
  for (size_t i = 1, matched = 0; i < payload_.size(); i++) {
    while (matched != 0 && payload_[i] != payload_[matched]) matched = fallback_[matched];
    if (payload_[i] == payload_[matched]) matched++;
    fallback_[i + 1] = matched;
  }
}

size_t PayloadSearch::Count(std::string_view bytes, size_t* matched) const {
  size_t found = 0;
  size_t at = 0;
  while (at < bytes.size()) {
    if (*matched == 0) {
      at = std::min(bytes.find(payload_[0], at), bytes.size());
    }
    const size_t size = std::min(bytes.size() - at, payload_.size() - *matched);
    const size_t common = CommonStart(bytes.data() + at, payload_.data() + *matched, size);
    at += common;
    *matched += common;
    if (*matched == payload_.size()) {
      found++;
      *matched = 0;  // payloads do not overlap
    } else if (common < size) {
      *matched = fallback_[*matched];
    }
  }
  return found;
}

}  // namespace dmicro_bench
