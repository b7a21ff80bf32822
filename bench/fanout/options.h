#pragma once

#include <cstdint>
#include <string>

namespace dmicro_bench {

struct Options {
  std::string address;  // as given, for the Host header
  std::string host;
  int port;
  uint32_t connections;
  std::string dialect;
  std::string path;  // empty: the dialect's own
  std::string payload;
  double timeout_seconds;  // for connecting, and for each round
};

// Ends the program with a message on anything it does not understand.
Options ParseOptions(int argc, char** argv);

}  // namespace dmicro_bench
