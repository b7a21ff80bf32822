#include "tls.h"

#include "common/fail.h"

#ifdef DMICRO_BENCH_TLS

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <climits>

namespace dmicro_bench {
namespace {

// What failed for want of the socket is EAGAIN, the end of the stream 0, all else an error of the protocol.
ssize_t Result(const SSL* ssl, int result) {
  if (result > 0) return result;
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      if (errno == 0) errno = ECONNRESET;
      return -1;
    default:
      errno = EPROTO;
      return -1;
  }
}

int Length(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

}  // namespace

Tls::~Tls() { SSL_free(ssl_); }

ssize_t Tls::Read(char* bytes, size_t size) {
  ERR_clear_error();
  return Result(ssl_, SSL_read(ssl_, bytes, Length(size)));
}

ssize_t Tls::Write(const char* bytes, size_t size) {
  ERR_clear_error();
  return Result(ssl_, SSL_write(ssl_, bytes, Length(size)));
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Tls> TlsContext::Connect(int fd) {
  SSL* ssl = SSL_new(context_);
  if (ssl == nullptr || SSL_set_fd(ssl, fd) != 1) Fail("OpenSSL: %s", ERR_error_string(ERR_get_error(), nullptr));
  // One receive for a record in place of two.
  SSL_set_read_ahead(ssl, 1);
  if (SSL_connect(ssl) != 1) Fail("TLS handshake: %s", ERR_error_string(ERR_get_error(), nullptr));
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return std::make_unique<Tls>(ssl);
}

std::unique_ptr<TlsContext> MakeTlsContext() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
    Fail("OpenSSL: %s", ERR_error_string(ERR_get_error(), nullptr));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return std::make_unique<TlsContext>(context);
}

}  // namespace dmicro_bench

#else

namespace dmicro_bench {

Tls::~Tls() = default;
ssize_t Tls::Read(char*, size_t) { return -1; }
ssize_t Tls::Write(const char*, size_t) { return -1; }
TlsContext::~TlsContext() = default;
std::unique_ptr<Tls> TlsContext::Connect(int) { return nullptr; }
std::unique_ptr<TlsContext> MakeTlsContext() { Fail("the C++ client was built without OpenSSL (Debian: libssl-dev)"); }

}  // namespace dmicro_bench

#endif
