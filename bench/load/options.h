#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dmicro_bench {

enum class Mode { kClosedLoop, kOpenLoop, kPingPong, kHandshake };
enum class Proto { kRaw, kJson, kProtobuf, kJsonRpc, kHttp, kBare };

struct Options {
  std::string host;
  int port;
  std::string unix_path;  // in place of host and port when not empty
  Mode mode;
  Proto proto;
  bool spin;
  bool tls;
  bool websocket;
  bool resume;  // handshakes: of sessions that the server gave tickets for
  uint32_t connections;
  uint32_t in_flight;  // per connection
  double rate;         // open loop: calls a second over all connections
  double warmup_seconds;
  double seconds;
  std::string method;
  uint8_t codec;
  std::string bodies;              // `body_count` of them, one after another; empty: tagged JSON strings
  uint32_t body_count;             // a power of two
  size_t body_bytes;               // of each
  std::vector<pid_t> server_pids;  // none: the server's CPU is not measured
  bool json_only;
};

// Ends the program with a message on anything it does not understand.
Options ParseOptions(int argc, char** argv);

}  // namespace dmicro_bench
