#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "connection.h"
#include "measurement.h"
#include "options.h"

namespace dmicro_bench {

// The connections of a run and one timer, in one thread. Edge-triggered epoll: level-triggered, the kernel polls every
// socket that was ready once more at the next epoll_wait.
class Clients {
 public:
  // Connects them all.
  Clients(const Options& options, Run* run, const Measurement& measurement);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  size_t Count() const { return connections_.size(); }
  Connection* At(size_t index) const { return connections_[index].get(); }

  // To the nanosecond, at a time of Now(). A timer among the events costs nothing per call, unlike a timeout given to
  // each epoll_wait.
  void SetTimer(uint64_t time);
  // Waits for events and settles what was received. True when the timer was among them.
  bool Wait();
  // Sends what was queued on a connection that had nothing queued before.
  void Send(Connection* connection) { SendQueued(connection, false); }

 private:
  void OnReady(Connection* connection, uint32_t events);
  // `watching`: whether EPOLLOUT is being watched, because bytes waited before.
  void SendQueued(Connection* connection, bool watching);
  void Watch(Connection* connection, int operation, bool writable);

  Run* run_;
  const Measurement& measurement_;
  int epoll_;
  int timer_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace dmicro_bench
