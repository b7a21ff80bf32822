#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "io/io_thread.h"
#include "io/reactor.h"

namespace dmicro {

// One reactor as JavaScript sees it, in the loop's own thread or on one of its own: the memory of its rings, the
// function that reads its batches, and a way to reach it that is the same for both.
class Core final : public BatchReader {
 public:
  explicit Core(Napi::Env env) : env_(env) {}
  ~Core();

  // `thread` < 0: in the loop's own thread; otherwise the number of its own. `external`: the rings are memory of ours
  // that every ArrayBuffer over it shares, so that who transfers one away, as code that has borrowed bytes can, takes
  // none from the reactor; else, and where that is forbidden, JavaScript's, which must not be transferred. The rings as
  // ArrayBuffers, or an exception.
  Napi::Value Start(int thread, bool external, Napi::Function on_batch);
  void Stop(std::function<void()> done);

  // Runs `task` on the reactor and waits for it.
  template <typename Task>
  void Run(Task&& task) {
    if (thread_ != nullptr) {
      thread_->Run(task);
    } else {
      task(reactor_.get());
    }
  }
  // The same, and need not wait.
  template <typename Task>
  void Post(Task&& task) {
    if (thread_ != nullptr) {
      thread_->Post(task);
    } else {
      task(reactor_.get());
    }
  }
  void Drain();
  void DrainWith(Bytes body);
  HeapMessage TakeLarge(int32_t index);
  void KeepAlive(bool on);
  void BusyPoll(uint32_t microseconds);
  Control* control() { return control_; }
  // Null for the loop's own.
  IoThread* thread() { return thread_.get(); }

  void OnBatch() override;

 private:
  uint8_t* MakeArena(Napi::Object rings, const char* name, size_t size, bool external);

  const Napi::Env env_;
  napi_ref on_batch_ = nullptr;
  napi_ref arenas_ = nullptr;
  std::vector<std::shared_ptr<void>> memory_;  // of the arenas
  Control* control_ = nullptr;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<IoThread> thread_;
};

}  // namespace dmicro
