#pragma once

#include <strings.h>

#include <string_view>

namespace dmicro_bench {

// The headers of a response, in the order they stand.
class HttpHeaders {
 public:
  // `head`: the first line, the headers and the empty line.
  explicit HttpHeaders(std::string_view head) : rest_(head) { Line(); }

  // False at the empty line.
  bool Next(std::string_view* name, std::string_view* value) {
    const std::string_view line = Line();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    *name = line.substr(0, colon);
    *value = line.substr(colon + 1);
    while (!value->empty() && value->front() == ' ') value->remove_prefix(1);
    while (!value->empty() && value->back() == ' ') value->remove_suffix(1);
    return true;
  }

 private:
  std::string_view Line() {
    const size_t end = rest_.find("\r\n");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
    return line;
  }

  std::string_view rest_;
};

// Names of headers: `name` in lower case.
inline bool IsHeader(std::string_view found, std::string_view name) {
  return found.size() == name.size() && strncasecmp(found.data(), name.data(), name.size()) == 0;
}

}  // namespace dmicro_bench
