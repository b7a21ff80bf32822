#include <charconv>

#include "object.h"

namespace dmicro_bench {
namespace {

// The shortest text that is read as the same number.
template <typename Number>
void AppendNumber(Number number, std::string* json) {
  char text[32];
  json->append(text, static_cast<size_t>(std::to_chars(text, text + sizeof text, number).ptr - text));
}

void AppendString(std::string_view text, std::string* json) {
  constexpr std::string_view digits = "0123456789abcdef";
  json->push_back('"');
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < ' ') {
      json->append("\\u00");
      json->push_back(digits[code >> 4]);
      json->push_back(digits[code & 15]);
      continue;
    }
    if (c == '"' || c == '\\') json->push_back('\\');
    json->push_back(c);
  }
  json->push_back('"');
}

void AppendList(const std::vector<Object::Part>& list, std::string* json) {
  using Kind = Object::Part::Kind;
  Kind last = Kind::kOpen;
  for (const Object::Part& part : list) {
    if (part.kind != Kind::kClose && last != Kind::kOpen) json->push_back(',');
    if (part.kind == Kind::kOpen) json->push_back('[');
    if (part.kind == Kind::kClose) json->push_back(']');
    if (part.kind == Kind::kNumber) AppendNumber(part.number, json);
    last = part.kind;
  }
}

}  // namespace

void PrintObject(const Object& object, std::string* json) {
  json->assign(R"({"id":)");
  AppendNumber(object.id, json);
  json->append(R"(,"text":)");
  AppendString(object.text, json);
  json->append(R"(,"list":)");
  AppendList(object.list, json);
  json->append(object.ok ? R"(,"ok":true)" : R"(,"ok":false)").append(R"(,"f":)");
  AppendNumber(object.f, json);
  json->push_back('}');
}

}  // namespace dmicro_bench
