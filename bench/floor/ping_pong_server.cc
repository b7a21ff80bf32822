#include "ping_pong_server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fail.h"
#include "common/socket.h"
#include "session.h"

namespace dmicro_bench {
namespace {

// Until the client goes away or breaks the protocol.
void ServeClient(Session* session, bool spin) {
  const int flags = spin ? MSG_DONTWAIT : 0;
  bool full;
  for (;;) {
    const ssize_t count = session->Receive(flags, &full);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0 || !session->AnswerReceived()) return;
    if (session->SendUnsentBlocking() == Flush::kClosed) return;
  }
}

}  // namespace

void ServePingPong(int listener, const Methods& methods, std::span<char> scratch, bool spin) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0) Fail("accept: %s", strerror(errno));
    SetNoDelay(fd);
    Session session(fd, methods, scratch);
    ServeClient(&session, spin);
    close(fd);
  }
}

}  // namespace dmicro_bench
