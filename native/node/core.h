#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "io/io_thread.h"
#include "io/reactor.h"

namespace dmicro {

// One reactor as JavaScript sees it: the memory of its rings, the function that reads its batches, and calls that are
// the same for a reactor on the thread of the loop and for one on a thread of its own.
class Core final : public BatchReader {
 public:
  explicit Core(Napi::Env env) : env_(env) {}
  ~Core();

  // Starts the reactor and returns its rings as ArrayBuffers, or throws. `thread` is the number of its own thread, or
  // negative for the thread of the loop. `external`: the rings are memory of this object that every ArrayBuffer over it
  // shares, so that code that transfers one away, as code with borrowed bytes can, takes no memory from the reactor.
  // Otherwise, and where external memory is forbidden, the rings are memory of JavaScript, which must not be
  // transferred.
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
  // Runs `task` on the reactor and need not wait for it.
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
  // Returns null when the reactor is on the thread of the loop.
  IoThread* thread() { return thread_.get(); }

  void OnBatch() override;

 private:
  uint8_t* MakeArena(Napi::Object rings, const char* name, size_t size, bool external);

  const Napi::Env env_;
  napi_ref on_batch_ = nullptr;
  napi_ref arenas_ = nullptr;
  std::vector<std::shared_ptr<void>> memory_;  // memory of the arenas
  Control* control_ = nullptr;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<IoThread> thread_;
};

}  // namespace dmicro
