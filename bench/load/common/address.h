#pragma once

#include <string>

namespace dmicro_bench {

struct HostPort {
  std::string host;
  int port;
};

// Reads HOST:PORT, with an IPv6 host in brackets. Ends the program on anything else.
HostPort ParseAddress(const std::string& address);

}  // namespace dmicro_bench
