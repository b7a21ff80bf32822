#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "layer/openssl.h"

namespace dmicro {

// Certificates and keys that a server shows in place of its context's own, and what it checks clients with. A copy of
// references, because the context they come from may be one that a program uses elsewhere too.
class TlsIdentity {
 public:
  // `from` must not be in use by another thread during the construction, which moves its current certificate.
  TlsIdentity(const OpenSsl* ssl, ssl_ctx_st* from);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // Returns false when OpenSSL refuses a certificate. Any thread.
  bool ApplyTo(ssl_st* connection) const;

 private:
  struct Certificate {
    x509_st* leaf;
    evp_pkey_st* key;
    stack_st* chain;  // null for none
  };

  const OpenSsl* const ssl_;
  std::vector<Certificate> certificates_;
  x509_store_st* store_ = nullptr;
};

struct TlsSettings {
  bool server = false;
  bool request_certificate = true;  // of a client; a server's certificate is always requested
  bool reject_unauthorized = true;
  bool asks = false;        // the upper layer is asked about each client hello
  std::string protocols;    // of ALPN, each with its length before it; empty for none
  std::string ticket_keys;  // empty for random ones, else openssl::kTicketKeys bytes
};

// State that all TLS connections of a listener, or of dials with the same options, share. Its sessions may be on
// several threads.
class TlsContext {
 public:
  // Takes a reference to `context`, which nothing else may use: its callbacks are set here.
  TlsContext(const OpenSsl* ssl, ssl_ctx_st* context, TlsSettings settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const OpenSsl* ssl() const { return ssl_; }
  ssl_ctx_st* get() const { return context_; }
  const TlsSettings& settings() const { return settings_; }

  // Sessions for resumption, by server. Any thread.
  void Keep(const std::string& server, ssl_session_st* session);
  // Makes `connection` offer the session that is kept for `server`.
  void Offer(const std::string& server, ssl_st* connection);
  void Forget(const std::string& server);

 private:
  static constexpr size_t kMaxSessions = 256;

  const OpenSsl* const ssl_;
  ssl_ctx_st* const context_;
  const TlsSettings settings_;
  std::mutex mutex_;  // guards sessions_
  std::map<std::string, ssl_session_st*> sessions_;
};

}  // namespace dmicro
