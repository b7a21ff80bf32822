#include "layer/tls_context.h"

#include <utility>

#include "layer/tls_layer.h"

namespace dmicro {

TlsIdentity::TlsIdentity(const OpenSsl* ssl, ssl_ctx_st* from) : ssl_(ssl) {
  for (long which = openssl::kCertFirst; ssl_->SSL_CTX_ctrl(from, openssl::kCtrlCurrentCert, which, nullptr) == 1;
       which = openssl::kCertNext) {
    Certificate one{ssl_->SSL_CTX_get0_certificate(from), ssl_->SSL_CTX_get0_privatekey(from), nullptr};
    if (one.leaf == nullptr || one.key == nullptr) continue;
    stack_st* chain = nullptr;
    ssl_->SSL_CTX_ctrl(from, openssl::kCtrlGetChain, 0, &chain);
    if (chain != nullptr) one.chain = ssl_->X509_chain_up_ref(chain);
    ssl_->X509_up_ref(one.leaf);
    ssl_->EVP_PKEY_up_ref(one.key);
    certificates_.push_back(one);
  }
  store_ = ssl_->SSL_CTX_get_cert_store(from);
  if (store_ != nullptr) ssl_->X509_STORE_up_ref(store_);
}

TlsIdentity::~TlsIdentity() {
  for (const Certificate& each : certificates_) {
    ssl_->X509_free(each.leaf);
    ssl_->EVP_PKEY_free(each.key);
    if (each.chain != nullptr)
      ssl_->OPENSSL_sk_pop_free(each.chain, reinterpret_cast<void (*)(void*)>(ssl_->X509_free));
  }
  if (store_ != nullptr) ssl_->X509_STORE_free(store_);
}

bool TlsIdentity::ApplyTo(ssl_st* connection) const {
  ssl_->SSL_certs_clear(connection);
  for (const Certificate& each : certificates_) {
    if (ssl_->SSL_use_cert_and_key(connection, each.leaf, each.key, each.chain, 1) != 1) return false;
  }
  if (store_ != nullptr) ssl_->SSL_ctrl(connection, openssl::kCtrlVerifyCertStore, 1, store_);
  return true;
}

TlsContext::TlsContext(const OpenSsl* ssl, ssl_ctx_st* context, TlsSettings settings)
    : ssl_(ssl), context_(context), settings_(std::move(settings)) {
  using namespace openssl;
  ssl_->SSL_CTX_up_ref(context_);
  ssl_->SSL_CTX_ctrl(context_, kCtrlMode, kModeReleaseBuffers | kModeMovingWriteBuffer, nullptr);
  // Node's own callback reads keys of a JavaScript object, which may be gone, and on another thread.
  ssl_->SSL_CTX_callback_ctrl(context_, kCtrlTicketKeyCallback, nullptr);
  ssl_->SSL_CTX_callback_ctrl(context_, kCtrlMessageCallback, reinterpret_cast<void (*)()>(TlsLayer::OnMessage));
  if (settings_.ticket_keys.size() == kTicketKeys) {
    ssl_->SSL_CTX_ctrl(context_, kCtrlTicketKeys, kTicketKeys, const_cast<char*>(settings_.ticket_keys.data()));
  }
  ssl_->SSL_CTX_sess_set_get_cb(context_, nullptr);
  ssl_->SSL_CTX_sess_set_new_cb(context_, settings_.server ? nullptr : TlsLayer::OnNewSession);
  ssl_->SSL_CTX_ctrl(context_, kCtrlSessionCacheMode,
                     (settings_.server ? kCacheServer : kCacheClient) | kCacheNoInternal, nullptr);
  int verify = 0;
  if (!settings_.server || settings_.request_certificate) verify = kVerifyPeer;
  if (settings_.server && verify != 0 && settings_.reject_unauthorized) verify |= kVerifyFailIfNoCertificate;
  const auto accept_all = [](int, x509_store_ctx_st*) { return 1; };
  ssl_->SSL_CTX_set_verify(context_, verify, settings_.reject_unauthorized ? nullptr : +accept_all);
  if (!settings_.server) return;
  // One ticket: a client that comes back gets the next one.
  ssl_->SSL_CTX_set_num_tickets(context_, 1);
  if (settings_.asks) ssl_->SSL_CTX_set_client_hello_cb(context_, TlsLayer::OnClientHello, nullptr);
  if (settings_.asks || !settings_.protocols.empty())
    ssl_->SSL_CTX_set_alpn_select_cb(context_, TlsLayer::OnAlpn, nullptr);
}

TlsContext::~TlsContext() {
  for (const auto& [server, session] : sessions_) ssl_->SSL_SESSION_free(session);
  ssl_->SSL_CTX_free(context_);
}

void TlsContext::Keep(const std::string& server, ssl_session_st* session) {
  const std::lock_guard lock(mutex_);
  const auto known = sessions_.find(server);
  if (known != sessions_.end()) {
    ssl_->SSL_SESSION_free(known->second);
    sessions_.erase(known);
  }
  if (sessions_.size() == kMaxSessions) {
    ssl_->SSL_SESSION_free(sessions_.begin()->second);
    sessions_.erase(sessions_.begin());
  }
  ssl_->SSL_SESSION_up_ref(session);
  sessions_.emplace(server, session);
}

void TlsContext::Offer(const std::string& server, ssl_st* connection) {
  const std::lock_guard lock(mutex_);
  const auto known = sessions_.find(server);
  if (known != sessions_.end()) ssl_->SSL_set_session(connection, known->second);
}

void TlsContext::Forget(const std::string& server) {
  const std::lock_guard lock(mutex_);
  const auto known = sessions_.find(server);
  if (known == sessions_.end()) return;
  ssl_->SSL_SESSION_free(known->second);
  sessions_.erase(known);
}

}  // namespace dmicro
