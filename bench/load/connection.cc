#include "connection.h"

#include <sys/socket.h>

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
  const ssize_t count =
      tls_ == nullptr ? recv(fd_, space.data(), space.size(), flags) : tls_->Read(space.data(), space.size());
  if (count > 0) {
    received_ = input_.Received(run_->scratch, static_cast<size_t>(count));
    // A read of TLS gives one record, whatever else has come.
    *full = tls_ != nullptr || static_cast<size_t>(count) == space.size();
  }
  return count;
}

}  // namespace dmicro_bench
