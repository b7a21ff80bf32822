#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "node/core.h"

namespace dmicro {

// State of the addon in one JavaScript environment (main thread or worker): nothing is global, so the addon can be
// loaded by many environments at once. Deleted when the last reactor has closed its handles after the JavaScript
// environment began to end.
class Environment final {
 public:
  static Environment* Of(const Napi::CallbackInfo& info) { return static_cast<Environment*>(info.Data()); }

  explicit Environment(Napi::Env env);

  // Starts another core, on the thread of the loop or on a thread of its own. Returns its rings as ArrayBuffers and its
  // `number`, or throws. `external`: see Core::Start. The number is unique in the environment, which several copies of
  // the JavaScript code may share.
  Napi::Value Start(bool own_thread, bool external, Napi::Function on_batch);
  Core* core(size_t number) { return number < cores_.size() ? cores_[number].get() : nullptr; }

 private:
  static void Cleanup(napi_async_cleanup_hook_handle handle, void* data);

  const Napi::Env env_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  std::vector<std::unique_ptr<Core>> cores_;
  int threads_ = 0;  // threads started
  size_t running_ = 0;
};

}  // namespace dmicro
