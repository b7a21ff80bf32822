#include "node/core.h"

#include <cstdlib>
#include <utility>

namespace dmicro {

Core::~Core() {
  reactor_.reset();  // both write to the arenas until they are destroyed
  thread_.reset();
  if (arenas_ == nullptr) return;
  napi_delete_reference(env_, on_batch_);
  napi_delete_reference(env_, arenas_);
}

uint8_t* Core::MakeArena(Napi::Object rings, const char* name, size_t size, bool external) {
  if (external) {
    std::shared_ptr<void> memory(std::calloc(size, 1), std::free);
    if (memory == nullptr) std::abort();  // out of memory: abort, as V8 and new do
    auto held = std::make_unique<std::shared_ptr<void>>(memory);
    const auto drop = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<void>*>(hint); };
    napi_value shared;
    if (napi_create_external_arraybuffer(env_, memory.get(), size, drop, held.get(), &shared) == napi_ok) {
      held.release();
      rings.Set(name, shared);
      memory_.push_back(memory);
      return static_cast<uint8_t*>(memory.get());
    }
  }
  Napi::ArrayBuffer arena = Napi::ArrayBuffer::New(env_, size);
  rings.Set(name, arena);
  return static_cast<uint8_t*>(arena.Data());
}

Napi::Value Core::Start(int thread, bool external, Napi::Function on_batch) {
  const auto fail = [this](const char* text) {
    Napi::Error::New(env_, text).ThrowAsJavaScriptException();
    return Napi::Env(env_).Undefined();
  };
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok || loop == nullptr) return fail("no event loop");
  const bool own = thread >= 0;
  const uint32_t lanes = own ? IoThread::kLanes : 1;
  const uint32_t inbox = own ? lanes * IoThread::kLaneInbox : kInboxSize;
  const uint32_t records = own ? lanes * IoThread::kLaneRecords : 2 * kMaxRecords;
  const Napi::Object arenas = Napi::Object::New(env_);
  Rings rings;
  rings.inbox = MakeArena(arenas, "inbox", inbox, external);
  rings.records = reinterpret_cast<Record*>(MakeArena(arenas, "records", records * sizeof(Record), external));
  rings.outbox = MakeArena(arenas, "outbox", lanes * kOutboxSize, external);
  rings.outbox_size = lanes * kOutboxSize;
  rings.max_sends = lanes * kMaxSends;
  rings.sends = reinterpret_cast<Send*>(MakeArena(arenas, "sends", lanes * kMaxSends * sizeof(Send), external));
  rings.control = reinterpret_cast<Control*>(MakeArena(arenas, "control", sizeof(Control), external));
  control_ = rings.control;
  rings.unsent = reinterpret_cast<int32_t*>(MakeArena(arenas, "unsent", kMaxSlots * sizeof(int32_t), external));
  rings.replies = reinterpret_cast<int32_t*>(MakeArena(arenas, "replies", kMaxSlots * sizeof(int32_t), external));
  rings.activity = reinterpret_cast<int32_t*>(MakeArena(arenas, "activity", kMaxSlots * sizeof(int32_t), external));
  if (Napi::Env(env_).IsExceptionPending()) return Napi::Env(env_).Undefined();
  napi_create_reference(env_, arenas, 1, &arenas_);
  napi_create_reference(env_, on_batch, 1, &on_batch_);
  if (own) {
    auto io_thread = std::make_unique<IoThread>(loop, rings, this);
    if (io_thread->Start(thread) != 0) {
      io_thread.release()->Abandon();
      return fail("no further thread can be started");
    }
    thread_ = std::move(io_thread);
  } else {
    auto reactor = std::make_unique<Reactor>(loop, rings, this);
    if (reactor->Start() != 0) return fail("the event loop takes no handles");
    reactor_ = std::move(reactor);
  }
  return arenas;
}

void Core::Stop(std::function<void()> done) {
  if (thread_ != nullptr) {
    thread_->Stop(std::move(done));
  } else if (reactor_ != nullptr) {
    reactor_->Stop(std::move(done));
  } else {
    done();
  }
}

void Core::Drain() { thread_ != nullptr ? thread_->Drain() : reactor_->Drain(); }

void Core::DrainWith(Bytes body) { thread_ != nullptr ? thread_->DrainWith(body) : reactor_->DrainWith(body); }

HeapMessage Core::TakeLarge(int32_t index) {
  return thread_ != nullptr ? thread_->TakeLarge(index) : reactor_->TakeLarge(index);
}

// A reactor on the thread of the loop needs nothing here: its sockets keep the loop alive.
void Core::KeepAlive(bool on) {
  if (thread_ != nullptr) thread_->KeepAlive(on);
}

void Core::BusyPoll(uint32_t microseconds) {
  thread_ != nullptr ? thread_->BusyPoll(microseconds) : reactor_->BusyPoll(microseconds);
}

void Core::OnBatch() {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value callback, global, result;
  napi_get_reference_value(env_, on_batch_, &callback);
  napi_get_global(env_, &global);
  if (napi_make_callback(env_, nullptr, global, callback, 0, nullptr, &result) == napi_pending_exception) {
    // The reader catches what handlers throw. An exception that arrives here is a bug of the reader and must be seen.
    napi_value error;
    if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
}

}  // namespace dmicro
