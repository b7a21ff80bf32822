#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dmicro_bench {

// Accepts any number of clients. On each line `publish` of standard input it prints {"started_ns"}, CLOCK_MONOTONIC,
// and writes one frame with `body` to each client with a system call of its own, which is the least that TCP allows.
class PublishServer {
 public:
  PublishServer(int listener, std::string body);
  // Until standard input ends.
  [[noreturn]] void Serve();

 private:
  void Accept();
  void ReadCommands();
  void Publish();

  int listener_;
  std::string body_;
  std::vector<int> clients_;
  std::string line_;  // begun
  int32_t published_ = 0;
};

}  // namespace dmicro_bench
