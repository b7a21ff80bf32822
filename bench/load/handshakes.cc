#include "handshakes.h"

#include "common/fail.h"

#ifdef DMICRO_BENCH_TLS

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "common/clock.h"
#include "common/socket.h"
#include "tls.h"

namespace dmicro_bench {
namespace {

// One after another, all in the same place.
struct Visitor {
  int fd = -1;
  SSL* ssl = nullptr;
  SSL_SESSION* session = nullptr;  // of its first ticket
  bool resuming = false;
  bool leaving = false;  // has said goodbye, waits for the server to end the connection
  uint64_t since = 0;
};

int OnTicket(SSL* ssl, SSL_SESSION* session) {
  auto* visitor = static_cast<Visitor*>(SSL_get_app_data(ssl));
  if (visitor->session != nullptr) return 0;
  visitor->session = session;
  return 1;  // the session is ours now
}

class Handshakes {
 public:
  Handshakes(const Options& options, Run* run, Measurement* measurement)
      : options_(options), run_(run), measurement_(measurement), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    SSL_CTX_set_session_cache_mode(run->tls->Get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(run->tls->Get(), OnTicket);
    visitors_.resize(options.connections);
  }

  void Execute() {
    for (Visitor& visitor : visitors_) Enter(&visitor);
    Until(Now() + Nanoseconds(options_.warmup_seconds));
    run_->BeginWindow(Now());
    measurement_->Begin();
    Until(Now() + Nanoseconds(options_.seconds));
    measurement_->End();
  }

 private:
  void Until(uint64_t end) {
    constexpr int look_at_clock_ms = 10;
    std::array<epoll_event, 64> events;
    while (Now() < end) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), look_at_clock_ms);
      if (count < 0 && errno != EINTR) Fail("epoll_wait: %s", strerror(errno));
      for (int i = 0; i < count; i++) OnReady(static_cast<Visitor*>(events[static_cast<size_t>(i)].data.ptr));
    }
  }

  void Enter(Visitor* visitor) {
    visitor->since = Now();
    visitor->leaving = false;
    // Connecting over the loopback takes no time.
    visitor->fd = ConnectTcp(options_.host, options_.port);
    fcntl(visitor->fd, F_SETFL, fcntl(visitor->fd, F_GETFL) | O_NONBLOCK);
    visitor->ssl = SSL_new(run_->tls->Get());
    if (visitor->ssl == nullptr) Fail("OpenSSL: %s", ERR_error_string(ERR_get_error(), nullptr));
    SSL_set_fd(visitor->ssl, visitor->fd);
    SSL_set_app_data(visitor->ssl, visitor);
    SSL_set_connect_state(visitor->ssl);
    visitor->resuming = options_.resume && visitor->session != nullptr;
    if (visitor->resuming) {
      // A copy: OpenSSL resumes no session of TLS 1.3 twice. Servers do, and not all of them give another ticket.
      SSL_SESSION* session = SSL_SESSION_dup(visitor->session);
      SSL_set_session(visitor->ssl, session);
      SSL_SESSION_free(session);
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.ptr = visitor;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, visitor->fd, &event) != 0) Fail("epoll_ctl: %s", strerror(errno));
    ShakeHands(visitor);
  }

  void OnReady(Visitor* visitor) {
    if (!visitor->leaving) ShakeHands(visitor);
    if (visitor->leaving && HasEnded(*visitor)) {
      run_->answered++;
      run_->latencies.Record(Now() - visitor->since);
      SSL_free(visitor->ssl);
      close(visitor->fd);
      Enter(visitor);
    }
  }

  // A read makes the handshake, and takes tickets; there is nothing else to read.
  void ShakeHands(Visitor* visitor) {
    char byte;
    ERR_clear_error();
    const int result = SSL_read(visitor->ssl, &byte, 1);
    if (SSL_get_error(visitor->ssl, result) != SSL_ERROR_WANT_READ) {
      Fail("TLS handshake: %s%s", ERR_error_string(ERR_get_error(), nullptr), measurement_->ServerFate());
    }
    if (!SSL_is_init_finished(visitor->ssl) || (options_.resume && visitor->session == nullptr)) return;
    const bool resumed = SSL_session_reused(visitor->ssl) == 1;
    if (resumed != visitor->resuming) Fail("the server %s the session", resumed ? "made up" : "did not resume");
    SSL_shutdown(visitor->ssl);
    visitor->leaving = true;
  }

  // Takes what the server still sends: its close_notify.
  static bool HasEnded(const Visitor& visitor) {
    char bytes[256];
    for (;;) {
      const ssize_t count = recv(visitor.fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (count > 0 || (count < 0 && errno == EINTR)) continue;
      return count == 0 || errno != EAGAIN;
    }
  }

  const Options& options_;
  Run* run_;
  Measurement* measurement_;
  int epoll_;
  std::vector<Visitor> visitors_;
};

}  // namespace

void ExecuteHandshakes(const Options& options, Run* run, Measurement* measurement) {
  Handshakes(options, run, measurement).Execute();
}

}  // namespace dmicro_bench

#else

namespace dmicro_bench {

void ExecuteHandshakes(const Options&, Run*, Measurement*) { Fail("the C++ client was built without OpenSSL"); }

}  // namespace dmicro_bench

#endif
