#include "protocols/json_object.h"

#include <cstddef>

namespace dmicro_bench {
namespace {

constexpr bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Behind the string that begins `text`, or npos.
size_t EndOfString(std::string_view text) {
  for (size_t at = text.find('"', 1); at != std::string_view::npos; at = text.find('"', at + 1)) {
    size_t backslashes = 0;
    while (text[at - 1 - backslashes] == '\\') backslashes++;
    if (backslashes % 2 == 0) return at + 1;
  }
  return std::string_view::npos;
}

// Behind the object or array that begins `text`, or npos.
size_t EndOfNest(std::string_view text) {
  size_t depth = 0;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '"') {
      const size_t size = EndOfString(text.substr(at));
      if (size == std::string_view::npos) return size;
      at += size - 1;
    } else if (text[at] == '{' || text[at] == '[') {
      depth++;
    } else if ((text[at] == '}' || text[at] == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

JsonObject::Step JsonObject::Next(std::string_view* key, std::string_view* value) {
  SkipSpace();
  if (begun_ && Take('}')) {
    SkipSpace();
    return rest_.empty() ? Step::kEnd : Step::kBad;
  }
  if (!Take(begun_ ? ',' : '{')) return Step::kBad;
  SkipSpace();
  if (!begun_ && Take('}')) return rest_.empty() ? Step::kEnd : Step::kBad;
  begun_ = true;
  if (!String(key)) return Step::kBad;
  SkipSpace();
  if (!Take(':')) return Step::kBad;
  SkipSpace();
  return Value(value) ? Step::kMember : Step::kBad;
}

void JsonObject::SkipSpace() {
  while (!rest_.empty() && IsSpace(rest_[0])) rest_.remove_prefix(1);
}

bool JsonObject::Take(char expected) {
  if (rest_.empty() || rest_[0] != expected) return false;
  rest_.remove_prefix(1);
  return true;
}

// Without its quotes.
bool JsonObject::String(std::string_view* text) {
  if (rest_.empty() || rest_[0] != '"') return false;
  const size_t size = EndOfString(rest_);
  if (size == std::string_view::npos) return false;
  *text = rest_.substr(1, size - 2);
  rest_.remove_prefix(size);
  return true;
}

bool JsonObject::Value(std::string_view* text) {
  if (rest_.empty()) return false;
  const char first = rest_[0];
  const size_t size = first == '"'                   ? EndOfString(rest_)
                      : first == '{' || first == '[' ? EndOfNest(rest_)
                                                     : rest_.find_first_of(",} \t\r\n");
  if (size == std::string_view::npos || size == 0) return false;
  *text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

}  // namespace dmicro_bench
