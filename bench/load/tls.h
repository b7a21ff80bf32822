#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>

struct ssl_ctx_st;
struct ssl_st;

namespace dmicro_bench {

// TLS 1.3 on a connected socket, as a client that takes any certificate: who the server is says nothing of its speed.
class Tls {
 public:
  // Takes over `ssl`, whose handshake is done.
  explicit Tls(ssl_st* ssl) : ssl_(ssl) {}
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // With the results and the errno of recv and send on a non-blocking socket. After EAGAIN the same bytes must be
  // written again, and may have moved and become more.
  ssize_t Read(char* bytes, size_t size);
  ssize_t Write(const char* bytes, size_t size);

 private:
  ssl_st* ssl_;
};

class TlsContext {
 public:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* Get() const { return context_; }
  // Makes the handshake on a blocking socket, which is non-blocking afterwards. Ends the program on failure.
  std::unique_ptr<Tls> Connect(int fd);

 private:
  ssl_ctx_st* context_;
};

// Ends the program where this one was built without OpenSSL.
std::unique_ptr<TlsContext> MakeTlsContext();

}  // namespace dmicro_bench
