#pragma once

#include <napi.h>

#include <memory>

#include "io/reactor.h"

namespace dmicro {

// All of the addon's state in one JavaScript environment (main thread or worker): nothing is global, so the addon can
// be loaded by many environments at once. Freed when the reactor's last handle is closed after the environment began to
// end.
class Environment final : public BatchReader {
 public:
  static Environment* Of(const Napi::CallbackInfo& info) { return static_cast<Environment*>(info.Data()); }

  explicit Environment(Napi::Env env);
  ~Environment();

  // Makes the rings and the reactor. The rings as ArrayBuffers, or an exception.
  Napi::Value Start(const Napi::CallbackInfo& info, Napi::Function on_batch);
  Reactor* reactor() { return reactor_.get(); }

  void OnBatch() override;

 private:
  static void Cleanup(napi_async_cleanup_hook_handle handle, void* data);
  uint8_t* MakeArena(Napi::Object rings, const char* name, size_t size);

  const Napi::Env env_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_ref on_batch_ = nullptr;
  napi_ref arenas_ = nullptr;
  std::unique_ptr<Reactor> reactor_;
};

}  // namespace dmicro
