#include "dial.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <string>

#include "common/fail.h"
#include "common/socket.h"
#include "common/websocket_key.h"

namespace dmicro_bench {
namespace {

constexpr size_t kLongestHead = 16 * 1024;

// Asks for the upgrade and reads the answer to its end, byte by byte: what follows is the connection's.
void Upgrade(int fd, const std::string& host) {
  const std::string request = "GET / HTTP/1.1\r\nHost: " + host +
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: " +
                              kWebSocketKey + "\r\n\r\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    Fail("cannot ask %s for a WebSocket: %s", host.c_str(), strerror(errno));
  }
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte;
    const ssize_t count = recv(fd, &byte, 1, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || head.size() == kLongestHead) Fail("%s did not answer the upgrade to a WebSocket", host.c_str());
    head += byte;
  }
  if (!head.starts_with("HTTP/1.1 101")) Fail("%s does not upgrade to a WebSocket", host.c_str());
  if (head.find(kWebSocketAccept) == std::string::npos) Fail("%s sent a wrong Sec-WebSocket-Accept", host.c_str());
}

}  // namespace

int Dial(const Options& options) {
  const int fd = options.unix_path.empty() ? ConnectTcp(options.host, options.port) : ConnectUnix(options.unix_path);
  if (options.websocket) Upgrade(fd, options.host + ":" + std::to_string(options.port));
  return fd;
}

}  // namespace dmicro_bench
