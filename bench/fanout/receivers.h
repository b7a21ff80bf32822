#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "commands.h"
#include "dialect.h"
#include "options.h"
#include "payload_search.h"
#include "round.h"

namespace dmicro_bench {

// All connections in one thread: opens them, then counts deliveries round by round.
class Receivers {
 public:
  Receivers(const Options& options, std::span<char> scratch);
  Receivers(const Receivers&) = delete;
  Receivers& operator=(const Receivers&) = delete;

  // Until standard input ends.
  [[noreturn]] void Execute();

 private:
  struct Receiver {
    uint32_t index;
    int fd;
    std::unique_ptr<Dialect> dialect;
    size_t matched = 0;   // see PayloadSearch
    uint64_t rounds = 0;  // the number of the last that it had the payload in
  };

  void Connect();
  void Open();
  // Handles what is ready; ends the program when connecting or the round takes too long.
  void Wait();
  void OnReady(Receiver* receiver, uint32_t events);
  void OnReceived(Receiver* receiver, std::string_view bytes);
  void OnPayload(Receiver* receiver);
  void Send(const Receiver& receiver, const std::string& bytes);
  void OnCommands();
  [[noreturn]] void FailOverdue() const;

  const Options& options_;
  std::span<char> scratch_;
  PayloadSearch search_;
  Commands commands_;
  Round round_;
  int epoll_;
  uint64_t deadline_ = UINT64_MAX;
  uint32_t ready_ = 0;
  std::vector<std::unique_ptr<Receiver>> receivers_;
};

}  // namespace dmicro_bench
