#include "tagged_body.h"

#include <algorithm>

namespace dmicro_bench {
namespace {

std::string JsonString(size_t bytes) {
  std::string body(1, '"');
  for (size_t i = 0; i < bytes - 2; i++) body.push_back(static_cast<char>('a' + i % 26));
  return body + '"';
}

}  // namespace

TaggedBody::TaggedBody(const std::string& given, size_t bytes)
    : text_(given.empty() ? JsonString(bytes) : given),
      tag_bytes_(given.empty() ? std::min<size_t>(8, bytes - 2) : 0) {}

}  // namespace dmicro_bench
