#include "node/environment.h"

namespace dmicro {

Environment::Environment(Napi::Env env) : env_(env) { napi_add_async_cleanup_hook(env, Cleanup, this, &cleanup_); }

Environment::~Environment() {
  reactor_.reset();  // it writes to the arenas until its end
  if (arenas_ == nullptr) return;
  napi_delete_reference(env_, on_batch_);
  napi_delete_reference(env_, arenas_);
  napi_async_destroy(env_, context_);
}

// The environment ends: no JavaScript runs any more. Its loop turns until every handle is closed and the hook removed.
void Environment::Cleanup(napi_async_cleanup_hook_handle handle, void* data) {
  Environment* const self = static_cast<Environment*>(data);
  const auto finish = [self, handle] {
    delete self;
    napi_remove_async_cleanup_hook(handle);
  };
  if (self->reactor_ == nullptr) {
    finish();
  } else {
    self->reactor_->Stop(finish);
  }
}

uint8_t* Environment::MakeArena(Napi::Object rings, const char* name, size_t size) {
  Napi::ArrayBuffer arena = Napi::ArrayBuffer::New(env_, size);
  rings.Set(name, arena);
  return static_cast<uint8_t*>(arena.Data());
}

Napi::Value Environment::Start(const Napi::CallbackInfo& info, Napi::Function on_batch) {
  const auto fail = [&info](const char* text) {
    Napi::Error::New(info.Env(), text).ThrowAsJavaScriptException();
    return info.Env().Undefined();
  };
  if (reactor_ != nullptr) return fail("already started");
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok || loop == nullptr) return fail("no event loop");
  // JavaScript memory, not ours: environments that forbid external buffers take it too.
  const Napi::Object arenas = Napi::Object::New(env_);
  Rings rings;
  rings.inbox = MakeArena(arenas, "inbox", kInboxSize);
  rings.records = reinterpret_cast<Record*>(MakeArena(arenas, "records", 2 * kMaxRecords * sizeof(Record)));
  rings.outbox = MakeArena(arenas, "outbox", kOutboxSize);
  rings.sends = reinterpret_cast<Send*>(MakeArena(arenas, "sends", kMaxSends * sizeof(Send)));
  rings.control = reinterpret_cast<Control*>(MakeArena(arenas, "control", sizeof(Control)));
  if (info.Env().IsExceptionPending()) return info.Env().Undefined();
  napi_create_reference(env_, arenas, 1, &arenas_);
  napi_create_reference(env_, on_batch, 1, &on_batch_);
  napi_async_init(env_, nullptr, Napi::String::New(env_, "dmicro"), &context_);
  auto reactor = std::make_unique<Reactor>(loop, rings, this);
  if (reactor->Start() != 0) return fail("the event loop takes no handles");
  reactor_ = std::move(reactor);
  return arenas;
}

void Environment::OnBatch() {
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  napi_value callback, global, result;
  napi_get_reference_value(env_, on_batch_, &callback);
  napi_get_global(env_, &global);
  if (napi_make_callback(env_, context_, global, callback, 0, nullptr, &result) == napi_pending_exception) {
    // The reader catches what handlers throw; what arrives here is its own bug and must be seen.
    napi_value error;
    if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
}

}  // namespace dmicro
