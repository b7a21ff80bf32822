#include "open_loop.h"

#include <algorithm>

#include "common/clock.h"
#include "drain.h"

namespace dmicro_bench {
namespace {

// Between two turns: above 50,000 calls a second several leave at once, the first of them late by up to as much.
constexpr uint64_t kShortestTurn = 20'000;

}  // namespace

void OpenLoop::Execute() {
  start_ = Now();
  const uint64_t begin = start_ + Nanoseconds(options_.warmup_seconds);
  const uint64_t end = begin + Nanoseconds(options_.seconds);
  PaceUntil(begin);
  run_->BeginWindow(begin);
  measurement_->Begin();
  PaceUntil(end);
  measurement_->End();
  CountUnsent(end);
  Drain();
}

void OpenLoop::PaceUntil(uint64_t end) {
  uint64_t timer = 0;
  for (uint64_t now = Now(); now < end; now = Now()) {
    SendDue(now);
    // A call that is overdue waits for a reply, not for the timer.
    const uint64_t due = Due(next_call_);
    const uint64_t turn = due <= now ? end : std::min(end, std::max(due, now + kShortestTurn));
    if (timer <= now || turn < timer) clients_.SetTimer(timer = turn);
    clients_.Wait();
  }
}

void OpenLoop::SendDue(uint64_t now) {
  unsent_.clear();
  for (uint64_t due = Due(next_call_); due <= now && TryCall(due); due = Due(next_call_)) next_call_++;
  for (Connection* connection : unsent_) clients_.Send(connection);
}

bool OpenLoop::TryCall(uint64_t due) {
  if (run_->outstanding == uint64_t{options_.connections} * options_.in_flight) return false;
  for (;;) {
    Connection* connection = clients_.At(next_connection_);
    next_connection_ = (next_connection_ + 1) % clients_.Count();
    // What was queued before this turn leaves when the socket can be written to.
    const bool queued = connection->HasQueued();
    if (!connection->TryCall(due)) continue;
    if (!queued) unsent_.push_back(connection);
    return true;
  }
}

void OpenLoop::CountUnsent(uint64_t end) {
  for (uint64_t due = Due(next_call_); due < end; due = Due(++next_call_)) {
    if (due < run_->window_begin) continue;
    run_->latencies.Record(end - due);
    run_->unsent++;
  }
}

void OpenLoop::Drain() {
  run_->draining = true;
  const uint64_t limit = Now() + Nanoseconds(kDrainSeconds);
  clients_.SetTimer(limit);
  while (run_->outstanding != 0) {
    clients_.Wait();
    if (Now() >= limit) FailUndrained(*run_, *measurement_);
  }
}

}  // namespace dmicro_bench
