#include "common/address.h"

#include <charconv>

#include "common/fail.h"

namespace dmicro_bench {

HostPort ParseAddress(const std::string& address) {
  HostPort result{"", 0};
  const size_t colon = address.rfind(':');
  if (colon != std::string::npos) {
    result.host = address.substr(0, colon);
    const char* end = address.data() + address.size();
    const auto parsed = std::from_chars(address.data() + colon + 1, end, result.port);
    if (parsed.ec != std::errc() || parsed.ptr != end) result.port = 0;
  }
  if (result.host.size() > 2 && result.host.front() == '[' && result.host.back() == ']') {
    result.host = result.host.substr(1, result.host.size() - 2);
  }
  if (result.host.empty() || result.port < 1 || result.port > 65535) {
    Fail("--address must be HOST:PORT, not '%s'", address.c_str());
  }
  return result;
}

}  // namespace dmicro_bench
