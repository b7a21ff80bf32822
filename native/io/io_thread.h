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

// A reactor on a thread and loop of its own, and what joins it to the home thread, on which its reader lives
// (design §4): batches go up and outboxes come down through lanes of shared memory, each of which belongs to one thread
// at a time. A wake-up crosses only when there is something new and the other side was not yet told.
//
// Public functions are for the home thread, except Adopt.
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

  // Starts the thread under the name dmicro-io-`number`. A libuv error code, or 0; after an error only Abandon may
  // follow.
  int Start(int number);
  // Deletes this once the home loop has let go of it.
  void Abandon();
  // Ends it; `done` is called on the home thread when it is gone. OnBatch is called no more.
  void Stop(std::function<void()> done);

  using Task = std::function<void(Reactor*)>;
  // Runs `task` on the reactor's thread, after all that was sent before. False when that takes none any more.
  bool Post(Task task);
  // The same, and waits for it.
  void Run(Task task);
  // Sends what is in the outbox, which then has room again; waits for a free lane if it must.
  void Drain();
  // The same, the last message's body being `body`; waits until it is written or queued.
  void DrainWith(Bytes body);
  // Of the batch being read.
  HeapMessage TakeLarge(int32_t index);
  // Whether the home loop stays alive for this reactor.
  void KeepAlive(bool on);
  void BusyPoll(uint32_t microseconds);

  void Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits) override;

 private:
  struct InboundBatch {
    Batch batch;
    std::vector<HeapMessage> large;
  };
  struct OutboundTask {
    int32_t first = 0, next = 0;  // sends; used when there is no task
    Task task;
  };

  // Home thread (io_thread.cc).
  void OnHomeWake();
  void OnHomePrepare();
  bool ReadBatch();
  void PublishOutbox();
  void PublishOutboxLane();
  void UseLane(uint32_t lane);
  bool Enqueue(OutboundTask down);
  void Spin();
  void Finish();
  void CloseHome();

  // The reactor's thread (io_thread_loop.cc).
  void Main();
  void OnWake();
  bool Ready() override;
  const Lane& NextLane() override;
  void Publish(Batch batch, std::vector<HeapMessage> large) override;

  uv_loop_t* const home_;
  const Rings rings_;
  BatchReader* const reader_;
  std::array<Lane, kLanes> lanes_;
  Control control_{};  // the reactor's own
  uv_loop_t loop_;
  Reactor reactor_;
  uv_thread_t thread_;
  int number_ = 0;
  uv_async_t wake_;       // the reactor's thread
  uv_async_t home_wake_;  // the home thread
  uv_prepare_t home_prepare_;
  uint32_t home_handles_ = 0;  // open on the home loop
  bool running_ = false;       // the thread was started

  // Home thread only.
  const ThreadCheck home_thread_{};
  InboundBatch current_;  // the batch being read
  uint32_t send_lane_ = 0;
  uint64_t busy_poll_ns_ = 0;
  bool traffic_ = false;
  bool stopping_ = false;
  bool reading_ = false;  // a batch is read
  bool woken_ = false;    // meanwhile, by a reader that turns the loop itself
  std::function<void()> done_;

  // The reactor's thread only.
  uint32_t lane_ = 0;  // being filled

  std::mutex mutex_;  // guards what follows
  std::condition_variable lane_freed_;
  std::deque<InboundBatch> inbound_;
  std::vector<Batch> returned_;
  uint32_t unread_ = 0;         // batches given and not returned
  bool reactor_waits_ = false;  // the reactor waits to give one
  std::vector<OutboundTask> outbound_;
  uint32_t undrained_ = 0;  // lanes published and not drained
  bool blocked_ = false;    // the home thread waits to publish one
  bool closed_ = false;     // the reactor takes no more
  bool finished_ = false;   // its loop has ended
};

}  // namespace dmicro
