#include "node/environment.h"

#include <utility>

namespace dmicro {

Environment::Environment(Napi::Env env) : env_(env) { napi_add_async_cleanup_hook(env, Cleanup, this, &cleanup_); }

Napi::Value Environment::Start(bool own_thread, bool external, Napi::Function on_batch) {
  auto core = std::make_unique<Core>(env_);
  const Napi::Value rings = core->Start(own_thread ? threads_ : -1, external, on_batch);
  if (rings.IsUndefined()) return rings;
  rings.As<Napi::Object>()["number"] = static_cast<uint32_t>(cores_.size());
  cores_.push_back(std::move(core));
  if (own_thread) threads_++;
  return rings;
}

// The environment is ending: no JavaScript runs any more. Its loop runs until every handle is closed and the hook is
// removed.
void Environment::Cleanup(napi_async_cleanup_hook_handle handle, void* data) {
  Environment* const self = static_cast<Environment*>(data);
  const auto stopped = [self, handle] {
    if (--self->running_ != 0) return;
    delete self;
    napi_remove_async_cleanup_hook(handle);
  };
  self->running_ = self->cores_.size() + 1;
  for (const std::unique_ptr<Core>& core : self->cores_) core->Stop(stopped);
  stopped();
}

}  // namespace dmicro
