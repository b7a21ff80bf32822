#pragma once

#include <memory>
#include <span>
#include <vector>

#include "methods.h"
#include "session.h"

namespace dmicro_bench {

// Serves any number of clients in one thread: one read and one write per connection and readable event.
class EpollServer {
 public:
  EpollServer(std::vector<int> listeners, const Methods& methods, std::span<char> scratch, ObjectEcho* objects);
  [[noreturn]] void Serve();

 private:
  // What epoll reports on: a listener, or a client with its session.
  struct Watched {
    int listener;
    std::unique_ptr<Session> session;
  };

  void Accept(int listener);
  void OnReady(Watched* client, unsigned events);
  // False when the client has gone or broke the protocol.
  bool Exchange(Session* session, unsigned events);
  void Watch(Watched* watched, int fd, int operation, unsigned events);
  void Drop(Watched* client);

  const Methods& methods_;
  std::span<char> scratch_;
  ObjectEcho* objects_;
  int epoll_;
};

}  // namespace dmicro_bench
