#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace dmicro_bench {

enum class Mode { kClosedLoop, kPingPong };

struct Options {
  std::string host;
  int port;
  std::string unix_path;  // in place of host and port when not empty
  Mode mode;
  bool spin;
  uint32_t connections;
  uint32_t in_flight;  // per connection
  double warmup_seconds;
  double seconds;
  std::string method;
  size_t body_bytes;
  pid_t server_pid;  // 0: the server's CPU is not measured
  bool json_only;
};

// Ends the program with a message on anything it does not understand.
Options ParseOptions(int argc, char** argv);

}  // namespace dmicro_bench
