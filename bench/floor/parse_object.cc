#include <charconv>

#include "object.h"

namespace dmicro_bench {
namespace {

constexpr int kMaxDepth = 128;

// A bit for each field.
constexpr unsigned kId = 1, kText = 2, kList = 4, kOk = 8, kF = 16, kAll = 31;

// Takes one token after another off the start of `rest_`; each Take returns whether it was there.
class Reader {
 public:
  explicit Reader(std::string_view json) : rest_(json) {}

  bool Take(char expected) {
    SkipSpace();
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  template <typename Number>
  bool TakeNumber(Number* number) {
    SkipSpace();
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), *number);
    if (parsed.ec != std::errc()) return false;
    rest_.remove_prefix(static_cast<size_t>(parsed.ptr - rest_.data()));
    return true;
  }

  bool TakeBoolean(bool* value) {
    SkipSpace();
    *value = rest_.starts_with("true");
    if (!*value && !rest_.starts_with("false")) return false;
    rest_.remove_prefix(*value ? 4 : 5);
    return true;
  }

  bool TakeString(std::string* text) {
    text->clear();
    if (!Take('"')) return false;
    for (;;) {
      size_t plain = 0;
      while (plain < rest_.size() && static_cast<unsigned char>(rest_[plain]) >= ' ' && rest_[plain] != '"' &&
             rest_[plain] != '\\') {
        plain++;
      }
      text->append(rest_.data(), plain);
      rest_.remove_prefix(plain);
      if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\\')) return false;
      const bool ended = rest_.front() == '"';
      rest_.remove_prefix(1);
      if (ended) return true;
      if (!TakeEscaped(text)) return false;
    }
  }

  bool TakeList(std::vector<Object::Part>* list) {
    using Kind = Object::Part::Kind;
    list->clear();
    if (!Take('[')) return false;
    list->push_back({Kind::kOpen, 0});
    for (int depth = 1; depth > 0;) {
      if (Take(']')) {
        list->push_back({Kind::kClose, 0});
        depth--;
        continue;
      }
      if (list->back().kind != Kind::kOpen && !Take(',')) return false;
      if (Take('[')) {
        list->push_back({Kind::kOpen, 0});
        if (++depth > kMaxDepth) return false;
        continue;
      }
      int64_t number;
      if (!TakeNumber(&number)) return false;
      list->push_back({Kind::kNumber, number});
    }
    return true;
  }

  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }

 private:
  void SkipSpace() {
    while (!rest_.empty() &&
           (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == '\n' || rest_.front() == '\r')) {
      rest_.remove_prefix(1);
    }
  }

  // What follows a backslash. \u is refused: no payload has it.
  bool TakeEscaped(std::string* text) {
    constexpr std::string_view escapes = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const size_t which = rest_.empty() ? std::string_view::npos : escapes.find(rest_.front());
    if (which == std::string_view::npos) return false;
    text->push_back(meanings[which]);
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

// The field of this name and its value; 0 when the object has no such field.
unsigned TakeField(const std::string& name, Reader* reader, Object* object) {
  if (name == "id") return reader->TakeNumber(&object->id) ? kId : 0;
  if (name == "text") return reader->TakeString(&object->text) ? kText : 0;
  if (name == "list") return reader->TakeList(&object->list) ? kList : 0;
  if (name == "ok") return reader->TakeBoolean(&object->ok) ? kOk : 0;
  if (name == "f") return reader->TakeNumber(&object->f) ? kF : 0;
  return 0;
}

}  // namespace

bool ParseObject(std::string_view json, Object* object) {
  Reader reader(json);
  unsigned seen = 0;
  std::string name;  // short enough to be held without a heap's memory
  if (!reader.Take('{')) return false;
  do {
    if (!reader.TakeString(&name) || !reader.Take(':')) return false;
    const unsigned field = TakeField(name, &reader, object);
    if (field == 0) return false;
    seen |= field;
  } while (reader.Take(','));
  return reader.Take('}') && reader.AtEnd() && seen == kAll;
}

}  // namespace dmicro_bench
