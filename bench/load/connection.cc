#include "connection.h"

#include <sys/socket.h>

#include "reply_check.h"

namespace dmicro_bench {

Connection::Connection(Run* run, int fd, uint32_t index, uint32_t in_flight)
    : run_(run), fd_(fd), index_(index), slots_(in_flight) {
  if (!run->open_loop) return;
  for (uint32_t slot = in_flight; slot > 0; slot--) free_slots_.push_back(slot - 1);
}

void Connection::Start(uint64_t now) {
  for (uint32_t slot = 0; slot < slots_.Count(); slot++) {
    // In seq order: slot 0 has the last seq of the first round.
    QueueCall((slot + 1) % slots_.Count(), now);
    run_->outstanding++;
  }
}

bool Connection::TryCall(uint64_t due) {
  if (free_slots_.empty()) return false;
  QueueCall(free_slots_.back(), due);
  free_slots_.pop_back();
  run_->outstanding++;
  return true;
}

ssize_t Connection::Receive(int flags, bool* full) {
  const std::span<char> space = input_.Space(run_->scratch);
  const ssize_t count = recv(fd_, space.data(), space.size(), flags);
  if (count > 0) {
    received_ = input_.Received(run_->scratch, static_cast<size_t>(count));
    *full = static_cast<size_t>(count) == space.size();
  }
  return count;
}

void Connection::SettleReceived(uint64_t now) {
  std::string_view rest = received_;
  RawFrame reply;
  for (;;) {
    const Parse parsed = ParseFrame(rest, MaxReply(run_->call), &reply);
    if (parsed == Parse::kPartial) break;
    if (parsed == Parse::kBad) FailReply(index_, "a length in the frame is wrong", rest);
    Settle(reply, rest.substr(0, reply.size), now);
    rest.remove_prefix(reply.size);
  }
  input_.Keep(rest);
}

void Connection::Settle(const RawFrame& reply, std::string_view bytes, uint64_t now) {
  int32_t seq;
  const char* problem = CheckReplyHeader(reply, run_->call.Codec(), &seq);
  if (problem != nullptr) FailReply(index_, problem, bytes);
  const uint32_t slot = slots_.Find(seq);
  if (slot == Slots::kNone) FailReply(index_, "seq is not outstanding: answered before, or never sent", bytes);
  if (!run_->call.IsBody(index_, seq, reply.body)) FailReply(index_, "body is not the one sent", bytes);
  const uint64_t since = slots_.Close(slot);
  if (!run_->draining) run_->answered++;
  if (run_->open_loop) {
    if (since >= run_->window_begin) run_->latencies.Record(now - since);
    free_slots_.push_back(slot);
    run_->outstanding--;
  } else if (run_->draining) {
    run_->outstanding--;
  } else {
    run_->latencies.Record(now - since);
    QueueCall(slot, now);
  }
}

void Connection::QueueCall(uint32_t slot, uint64_t since) {
  const int32_t seq = slots_.Open(slot, since);
  char* frame = output_.Room(run_->call.MaxSize());
  output_.Commit(run_->call.Build(index_, seq, frame));
}

}  // namespace dmicro_bench
