#pragma once

#include <uv.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "io/reactor.h"
#include "io/thread_check.h"

namespace dmicro {

// A reactor on a thread and loop of its own, joined to the home thread, on which its reader lives. Batches and outboxes
// pass through lanes of shared memory, each of which belongs to one thread at a time. A wake-up crosses only when there
// is something new and the other thread was not yet woken.
//
// Public functions: home thread only, except Adopt.
class IoThread final : public Adopter, private BatchSink {
 public:
  // While one batch is read a second may wait, and the third lane is filled.
  static constexpr uint32_t kLanes = 3;
  static constexpr uint32_t kLaneInbox = kInboxSize / 2;
  static constexpr uint32_t kLaneRecords = 2 * kMaxRecords;

  // `rings` holds kLanes lanes of each kind and the home thread's control block.
  IoThread(uv_loop_t* home, const Rings& rings, BatchReader* reader);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Starts the thread, named dmicro-io-`number`. Returns 0 or a libuv error code; after an error only Abandon may be
  // called.
  int Start(int number);
  // Deletes this object when its handles on the home loop are closed. Requires that the thread does not run.
  void Abandon();
  // Stops the thread and calls `done` on the home thread when the thread has ended. OnBatch is not called again.
  void Stop(std::function<void()> done);

  using Task = std::function<void(Reactor*)>;
  // Runs `task` on the reactor's thread, after everything that was sent before. Returns false when the reactor accepts
  // no more tasks.
  bool Post(Task task);
  // Posts `task` and waits until it has run.
  void Run(Task task);
  // Publishes the outbox to the reactor's thread and continues in an empty lane; waits for one if none is free.
  void Drain();
  // Drains with `body` as the body of the last message. Borrowed until this returns: by then the reactor has written or
  // buffered the bytes.
  void DrainWith(Bytes body);
  // Takes a large message of the batch being read. The caller owns its memory.
  HeapMessage TakeLarge(int32_t index);
  // Sets whether this reactor keeps the home loop alive.
  void KeepAlive(bool on);
  void BusyPoll(uint32_t microseconds);

  void Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits) override;

 private:
  struct InboundBatch {
    Batch batch;
    std::vector<HeapMessage> large;
  };
  struct OutboundTask {
    int32_t first = 0, next = 0;  // range of sends, used when `task` is empty
    Task task;
  };

  // Home thread (io_thread.cc).
  void OnHomeWake();
  void OnHomePrepare();
  bool ReadBatch();
  void PublishOutbox();
  void PublishOutboxLane();
  void UseLane(uint32_t lane);
  bool Enqueue(OutboundTask task);
  void Spin();
  void Finish();
  void CloseHome();

  // Reactor thread (io_thread_loop.cc).
  void Main();
  void OnWake();
  bool Ready() override;
  const Lane& NextLane() override;
  void Publish(Batch batch, std::vector<HeapMessage> large) override;

  uv_loop_t* const home_;
  const Rings rings_;
  BatchReader* const reader_;
  std::array<Lane, kLanes> lanes_;
  Control control_{};  // control block of the reactor; that of the home thread is in rings_
  uv_loop_t loop_;
  Reactor reactor_;
  uv_thread_t thread_;
  int number_ = 0;
  uv_async_t wake_;       // wakes the reactor's thread
  uv_async_t home_wake_;  // wakes the home thread
  uv_prepare_t home_prepare_;
  uint32_t home_handles_ = 0;  // handles that are open on the home loop
  bool running_ = false;       // the thread was started

  // Home thread only.
  const ThreadCheck home_thread_{};
  InboundBatch current_;  // the batch being read
  uint32_t send_lane_ = 0;
  uint64_t busy_poll_ns_ = 0;
  bool traffic_ = false;
  bool stopping_ = false;
  bool reading_ = false;  // OnBatch is running
  bool woken_ = false;    // a wake-up came while OnBatch was running, because the reader runs the loop itself
  std::function<void()> done_;

  // Reactor thread only.
  uint32_t lane_ = 0;  // lane that the reactor fills

  std::mutex mutex_;  // guards all members below
  std::condition_variable lane_freed_;
  std::deque<InboundBatch> inbound_;
  std::vector<Batch> returned_;
  uint32_t unread_ = 0;         // batches published and not returned
  bool reactor_waits_ = false;  // the reactor has a batch and waits until one is returned
  std::vector<OutboundTask> outbound_;
  uint32_t undrained_ = 0;  // lanes published and not drained
  bool blocked_ = false;    // the home thread waits to publish one
  bool closed_ = false;     // the reactor accepts no more tasks
  bool finished_ = false;   // the reactor's loop has ended
};

}  // namespace dmicro
