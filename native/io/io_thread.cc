#include "io/io_thread.h"

#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace dmicro {
namespace {

// Batches read per wake-up, before the other callbacks of the loop run.
constexpr int kBatchesPerWake = 4;

std::array<Lane, IoThread::kLanes> MakeLanes() {
  std::array<Lane, IoThread::kLanes> lanes;
  for (uint32_t i = 0; i < lanes.size(); i++) {
    lanes[i] = {i * IoThread::kLaneInbox, (i + 1) * IoThread::kLaneInbox, i * IoThread::kLaneRecords,
                IoThread::kLaneRecords};
  }
  return lanes;
}

Rings WithControl(Rings rings, Control* control) {
  rings.control = control;
  return rings;
}

void FreeAll(std::vector<HeapMessage>* large) {
  for (const HeapMessage& one : *large) std::free(one.data);
  large->clear();
}

}  // namespace

IoThread::IoThread(uv_loop_t* home, const Rings& rings, BatchReader* reader)
    : home_(home),
      rings_(rings),
      reader_(reader),
      lanes_(MakeLanes()),
      reactor_(&loop_, WithControl(rings, &control_), this, lanes_[0]) {
  UseLane(0);
}

IoThread::~IoThread() {
  for (InboundBatch& batch : inbound_) FreeAll(&batch.large);
}

int IoThread::Start(int number) {
  DMICRO_ASSERT(home_thread_.Here());
  number_ = number;
  wake_.data = home_wake_.data = home_prepare_.data = this;
  const auto on_home_wake = [](uv_async_t* handle) { static_cast<IoThread*>(handle->data)->OnHomeWake(); };
  int error = uv_async_init(home_, &home_wake_, on_home_wake);
  if (error != 0) return error;
  uv_prepare_init(home_, &home_prepare_);
  home_handles_ = 2;
  uv_prepare_start(&home_prepare_, [](uv_prepare_t* handle) { static_cast<IoThread*>(handle->data)->OnHomePrepare(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&home_wake_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&home_prepare_));
  error = uv_loop_init(&loop_);
  if (error != 0) return error;
  error = uv_async_init(&loop_, &wake_, [](uv_async_t* handle) { static_cast<IoThread*>(handle->data)->OnWake(); });
  if (error == 0) error = reactor_.Start();
  if (error == 0) {
    error = uv_thread_create(
        &thread_, [](void* self) { static_cast<IoThread*>(self)->Main(); }, this);
  }
  running_ = error == 0;
  if (error != 0) {
    // The new loop never ran: its handles are closed by running it here.
    uv_walk(
        &loop_, [](uv_handle_t* handle, void*) { uv_close(handle, nullptr); }, nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  return error;
}

void IoThread::Abandon() {
  if (home_handles_ == 0) {
    delete this;
    return;
  }
  done_ = [this] { delete this; };
  CloseHome();
}

void IoThread::Stop(std::function<void()> done) {
  DMICRO_ASSERT(home_thread_.Here());
  stopping_ = true;
  done_ = std::move(done);
  KeepAlive(true);
  Post([this](Reactor* reactor) {
    reactor->Stop([this] {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    });
  });
}

void IoThread::Finish() {
  uv_thread_join(&thread_);
  uv_loop_close(&loop_);
  CloseHome();
}

void IoThread::CloseHome() {
  const auto closed = [](uv_handle_t* handle) {
    IoThread* const self = static_cast<IoThread*>(handle->data);
    if (--self->home_handles_ != 0) return;
    const std::function<void()> done = std::move(self->done_);  // `done` may delete this object
    done();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&home_wake_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&home_prepare_), closed);
}

void IoThread::KeepAlive(bool on) {
  uv_handle_t* const handle = reinterpret_cast<uv_handle_t*>(&home_wake_);
  on ? uv_ref(handle) : uv_unref(handle);
}

void IoThread::BusyPoll(uint32_t microseconds) {
  busy_poll_ns_ = uint64_t{microseconds} * 1000;
  Post([microseconds](Reactor* reactor) { reactor->BusyPoll(microseconds); });
}

// Called on the thread of the reactor that listens.
void IoThread::Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits) {
  // The task owns the descriptor, so that a task that never runs, because the thread ends, closes it too. The
  // descriptor is shared because a std::function must be copyable.
  const auto shared = std::make_shared<OwnedDescriptor>(std::move(socket));
  Enqueue({0, 0, [=](Reactor* reactor) { reactor->Adopt(std::move(*shared), pipe, token, limits); }});
}

bool IoThread::Enqueue(OutboundTask task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  outbound_.push_back(std::move(task));
  uv_async_send(&wake_);
  return true;
}

bool IoThread::Post(Task task) {
  DMICRO_ASSERT(home_thread_.Here());
  Drain();
  return Enqueue({0, 0, std::move(task)});
}

void IoThread::Run(Task task) {
  if (stopping_) return;
  bool ran = false;
  std::condition_variable done;
  const bool taken = Post([&](Reactor* reactor) {
    task(reactor);
    const std::lock_guard lock(mutex_);
    ran = true;
    done.notify_one();
  });
  if (!taken) return;
  std::unique_lock lock(mutex_);
  done.wait(lock, [&] { return ran; });
}

void IoThread::Drain() {
  if (rings_.control->send_next != rings_.control->send_base) PublishOutboxLane();
}

void IoThread::DrainWith(Bytes body) {
  Control* const control = rings_.control;
  const int32_t first = control->send_base, next = control->send_next;
  UseLane(send_lane_);
  Run([=](Reactor* reactor) { reactor->DrainSends(first, next, body); });
}

// Called before the home loop blocks and after a batch. When all other lanes are on their way, the outbox continues to
// be filled, and is published as soon as a lane is returned.
void IoThread::PublishOutbox() {
  if (rings_.control->send_next == rings_.control->send_base) return;
  {
    const std::lock_guard lock(mutex_);
    if (undrained_ == kLanes - 1) {
      blocked_ = true;
      return;
    }
  }
  PublishOutboxLane();
}

void IoThread::PublishOutboxLane() {
  DMICRO_ASSERT(home_thread_.Here());
  Control* const control = rings_.control;
  {
    std::unique_lock lock(mutex_);
    lane_freed_.wait(lock, [this] { return undrained_ < kLanes - 1 || closed_; });
    if (!closed_) {
      undrained_++;
      outbound_.push_back({control->send_base, control->send_next, nullptr});
      uv_async_send(&wake_);
    }
  }
  UseLane((send_lane_ + 1) % kLanes);
  traffic_ = true;
}

void IoThread::UseLane(uint32_t lane) {
  DMICRO_ASSERT(home_thread_.Here());
  send_lane_ = lane;
  Control* const control = rings_.control;
  control->send_base = control->send_next = static_cast<int32_t>(lane * kMaxSends);
  control->outbox_base = control->outbox_next = static_cast<int32_t>(lane * kOutboxSize);
}

void IoThread::OnHomePrepare() {
  if (!running_) return;
  PublishOutbox();
  if (busy_poll_ns_ != 0 && traffic_) Spin();
  traffic_ = false;
}

// Polls before the loop blocks, as Reactor::Spin does: the wake-up for a new batch makes the descriptor of the loop
// readable.
void IoThread::Spin() {
  pollfd ready{uv_backend_fd(home_), POLLIN, 0};
  const int timeout = uv_backend_timeout(home_);
  if (timeout == 0) return;
  uint64_t limit = busy_poll_ns_;
  if (timeout > 0) limit = std::min<uint64_t>(limit, static_cast<uint64_t>(timeout) * 1'000'000);
  const uint64_t end = uv_hrtime() + limit;
  while (poll(&ready, 1, 0) == 0 && uv_hrtime() < end) {
  }
}

void IoThread::OnHomeWake() {
  if (reading_) {
    woken_ = true;
    return;
  }
  for (int i = 0; i < kBatchesPerWake; i++) {
    if (ReadBatch()) continue;
    PublishOutbox();
    const bool finished = [this] {
      const std::lock_guard lock(mutex_);
      return std::exchange(finished_, false);
    }();
    if (finished) Finish();
    return;
  }
  uv_async_send(&home_wake_);
}

// Returns false when there was no batch to read.
bool IoThread::ReadBatch() {
  DMICRO_ASSERT(home_thread_.Here());
  {
    const std::lock_guard lock(mutex_);
    if (inbound_.empty()) return false;
    current_ = std::move(inbound_.front());
    inbound_.pop_front();
  }
  traffic_ = true;
  if (!stopping_) {
    rings_.control->first = current_.batch.first;
    rings_.control->count = current_.batch.count;
    reading_ = true;
    reader_->OnBatch();
    reading_ = false;
    if (std::exchange(woken_, false)) uv_async_send(&home_wake_);
  }
  FreeAll(&current_.large);
  PublishOutbox();
  const std::lock_guard lock(mutex_);
  returned_.push_back(current_.batch);
  unread_--;
  if (std::exchange(reactor_waits_, false) && !closed_) uv_async_send(&wake_);
  return true;
}

HeapMessage IoThread::TakeLarge(int32_t index) {
  DMICRO_ASSERT(home_thread_.Here());
  if (index < 0 || static_cast<size_t>(index) >= current_.large.size()) return {nullptr, 0};
  return std::exchange(current_.large[static_cast<size_t>(index)], {nullptr, 0});
}

}  // namespace dmicro
