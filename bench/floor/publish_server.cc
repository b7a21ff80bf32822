#include "publish_server.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "common/clock.h"
#include "common/fail.h"
#include "common/socket.h"
#include "push_frame.h"

namespace dmicro_bench {

PublishServer::PublishServer(int listener, std::string body) : listener_(listener), body_(std::move(body)) {}

void PublishServer::Serve() {
  pollfd sources[] = {{listener_, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (;;) {
    if (poll(sources, 2, -1) < 0 && errno != EINTR) Fail("poll: %s", strerror(errno));
    if (sources[0].revents != 0) Accept();
    if (sources[1].revents != 0) ReadCommands();
  }
}

void PublishServer::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) return;
  if (fd < 0) Fail("accept: %s", strerror(errno));
  SetNoDelay(fd);
  clients_.push_back(fd);
}

void PublishServer::ReadCommands() {
  char bytes[256];
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count <= 0) exit(0);
  line_.append(bytes, static_cast<size_t>(count));
  for (size_t end; (end = line_.find('\n')) != std::string::npos; line_.erase(0, end + 1)) {
    if (line_.substr(0, end) != "publish") Fail("no command is named '%s'", line_.substr(0, end).c_str());
    Publish();
  }
}

void PublishServer::Publish() {
  printf("{\"started_ns\":\"%" PRIu64 "\"}\n", Now());
  fflush(stdout);
  const std::string frame = PushFrame(++published_, "/bench/published", body_);
  for (const int fd : clients_) {
    // A socket that has taken all before has room for one more.
    const ssize_t sent = send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(frame.size())) Fail("a client did not take its frame");
  }
}

}  // namespace dmicro_bench
