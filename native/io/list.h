#pragma once

#include "wire/check.h"

namespace dmicro {

// Base class of list elements. `Tag` distinguishes several bases of one element, each for another list. An element is
// in at most one list per tag, and can leave that list without a reference to it.
template <typename Tag>
class Linked {
 public:
  Linked() = default;
  ~Linked() { Unlink(); }
  Linked(const Linked&) = delete;
  Linked& operator=(const Linked&) = delete;

  bool linked() const { return next_ != nullptr; }
  void Unlink() {
    if (next_ == nullptr) return;
    next_->prev_ = prev_;
    prev_->next_ = next_;
    next_ = prev_ = nullptr;
  }

 private:
  template <typename, typename>
  friend class List;
  Linked* next_ = nullptr;
  Linked* prev_ = nullptr;
};

// Elements in the order they were appended. Appending and unlinking take constant time and no memory.
template <typename T, typename Tag>
class List {
 public:
  List() { ends_.next_ = ends_.prev_ = &ends_; }
  ~List() {
    while (!Empty()) Pop();
    ends_.next_ = ends_.prev_ = nullptr;
  }

  bool Empty() const { return ends_.next_ == &ends_; }

  void Append(T* element) {
    Linked<Tag>* const node = element;
    DMICRO_ASSERT(!node->linked());
    node->prev_ = ends_.prev_;
    node->next_ = &ends_;
    node->prev_->next_ = node;
    ends_.prev_ = node;
  }

  // Unlinks and returns the first element; null when the list is empty.
  T* Pop() {
    T* const first = First();
    if (first != nullptr) static_cast<Linked<Tag>*>(first)->Unlink();
    return first;
  }

  // Moves all elements of `other` into this list. Requires that this list is empty.
  void TakeAll(List& other) {
    DMICRO_ASSERT(Empty());
    if (other.Empty()) return;
    ends_.next_ = other.ends_.next_;
    ends_.prev_ = other.ends_.prev_;
    ends_.next_->prev_ = &ends_;
    ends_.prev_->next_ = &ends_;
    other.ends_.next_ = other.ends_.prev_ = &other.ends_;
  }

  T* First() { return At(ends_.next_); }
  T* After(T* element) { return At(static_cast<Linked<Tag>*>(element)->next_); }

 private:
  T* At(Linked<Tag>* node) { return node == &ends_ ? nullptr : static_cast<T*>(node); }

  Linked<Tag> ends_;
};

}  // namespace dmicro
