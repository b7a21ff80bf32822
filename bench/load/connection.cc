#include "connection.h"

#include <sys/socket.h>

#include "reply_check.h"

namespace dmicro_bench {

void Connection::Start(uint64_t now) {
  for (uint32_t slot = 0; slot < slots_.Count(); slot++) {
    // In seq order: slot 0 has the last seq of the first round.
    QueueCall((slot + 1) % slots_.Count(), now);
    run_->outstanding++;
  }
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
  const char* problem = CheckReplyHeader(reply, &seq);
  if (problem != nullptr) FailReply(index_, problem, bytes);
  const uint32_t slot = slots_.Find(seq);
  if (slot == Slots::kNone) FailReply(index_, "seq is not outstanding: answered before, or never sent", bytes);
  if (!run_->call.IsBody(index_, seq, reply.body)) FailReply(index_, "body is not the one sent", bytes);
  const uint64_t sent_at = slots_.Close(slot);
  if (run_->draining) {
    run_->outstanding--;
    return;
  }
  run_->latencies.Record(now - sent_at);
  QueueCall(slot, now);
}

void Connection::QueueCall(uint32_t slot, uint64_t now) {
  const int32_t seq = slots_.Open(slot, now);
  char* frame = output_.Room(run_->call.MaxSize());
  output_.Commit(run_->call.Build(index_, seq, frame));
}

}  // namespace dmicro_bench
