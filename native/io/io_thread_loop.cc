#include <pthread.h>
#include <signal.h>

#include <string>
#include <utility>

#include "io/io_thread.h"

// The part of IoThread that runs on the reactor's thread.

namespace dmicro {

void IoThread::Main() {
  const std::string name = "dmicro-io-" + std::to_string(number_);
#ifdef __APPLE__
  pthread_setname_np(name.c_str());
#else
  pthread_setname_np(pthread_self(), name.c_str());
#endif
  // The home thread handles all signals.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  const std::lock_guard lock(mutex_);
  finished_ = true;
  uv_async_send(&home_wake_);
}

void IoThread::OnWake() {
  std::vector<OutboundTask> pending;
  {
    const std::lock_guard lock(mutex_);
    pending.swap(outbound_);
  }
  for (OutboundTask& outbound : pending) {
    if (outbound.task) {
      outbound.task(&reactor_);
      continue;
    }
    reactor_.DrainSends(outbound.first, outbound.next, {});
    const std::lock_guard lock(mutex_);
    undrained_--;
    lane_freed_.notify_one();
    if (std::exchange(blocked_, false)) uv_async_send(&home_wake_);
  }
}

bool IoThread::Ready() {
  std::vector<Batch> returned;
  bool ready;
  {
    const std::lock_guard lock(mutex_);
    returned.swap(returned_);
    ready = unread_ < kLanes - 1;
    reactor_waits_ = !ready;
  }
  for (const Batch& batch : returned) reactor_.Reclaim(batch);
  return ready;
}

const Lane& IoThread::NextLane() { return lanes_[lane_ = (lane_ + 1) % kLanes]; }

void IoThread::Publish(Batch batch, std::vector<HeapMessage> large) {
  const std::lock_guard lock(mutex_);
  inbound_.push_back({batch, std::move(large)});
  unread_++;
  uv_async_send(&home_wake_);
}

}  // namespace dmicro
