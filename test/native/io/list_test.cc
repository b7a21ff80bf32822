#include "io/list.h"

#include <doctest/doctest.h>

#include <string>

namespace dmicro {
namespace {

struct Red;
struct Blue;
struct Item : Linked<Red>, Linked<Blue> {
  explicit Item(char c) : name(c) {}
  char name;
};

template <typename Tag>
std::string Names(List<Item, Tag>* list) {
  std::string names;
  for (Item* item = list->First(); item != nullptr; item = list->After(item)) names += item->name;
  return names;
}

TEST_CASE("list: elements come in the order they were added, and leave by themselves") {
  Item a('a'), b('b'), c('c');
  List<Item, Red> list;
  CHECK(list.Empty());
  CHECK(list.Pop() == nullptr);
  for (Item* item : {&a, &b, &c}) list.Append(item);
  CHECK(Names(&list) == "abc");
  b.Linked<Red>::Unlink();
  b.Linked<Red>::Unlink();
  CHECK(Names(&list) == "ac");
  CHECK(!b.Linked<Red>::linked());
  list.Append(&b);
  CHECK(Names(&list) == "acb");
  CHECK(list.Pop() == &a);
  CHECK(Names(&list) == "cb");
}

TEST_CASE("list: one element is in lists of several tags") {
  Item a('a'), b('b');
  List<Item, Red> red;
  List<Item, Blue> blue;
  red.Append(&a);
  red.Append(&b);
  blue.Append(&b);
  b.Linked<Red>::Unlink();
  CHECK(Names(&red) == "a");
  CHECK(Names(&blue) == "b");
}

TEST_CASE("list: all elements move at once, and still leave by themselves") {
  Item a('a'), b('b'), c('c');
  List<Item, Red> from, to;
  to.TakeAll(from);
  CHECK(to.Empty());
  from.Append(&a);
  from.Append(&b);
  to.TakeAll(from);
  CHECK(from.Empty());
  from.Append(&c);
  CHECK(Names(&to) == "ab");
  a.Linked<Red>::Unlink();
  CHECK(Names(&to) == "b");
  CHECK(Names(&from) == "c");
}

TEST_CASE("list: an element that is destroyed leaves, and outlives its list") {
  Item a('a');
  {
    List<Item, Red> list;
    list.Append(&a);
    {
      Item b('b');
      list.Append(&b);
    }
    CHECK(Names(&list) == "a");
  }
  CHECK(!a.Linked<Red>::linked());
}

}  // namespace
}  // namespace dmicro
