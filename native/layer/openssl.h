#pragma once

#include <cstddef>
#include <cstdint>

// Types of OpenSSL, whose content nobody here knows.
struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct bio_st;
struct bio_method_st;
struct x509_st;
struct x509_store_st;
struct x509_store_ctx_st;
struct evp_pkey_st;
struct stack_st;

namespace dmicro {

// The functions of OpenSSL 3 that TLS needs. They are looked up in the running program (node/openssl_load.cc), because
// every Node.js has them and a copy of our own would have to be kept up to date; tests have a table of their own. The
// declarations are repeated here so that no header of OpenSSL is needed: OpenSSL 3 has one ABI.
#define DMICRO_OPENSSL_FUNCTIONS(FUNCTION)                                                                         \
  FUNCTION(unsigned long, OpenSSL_version_num, ())                                                                 \
  FUNCTION(int, SSL_CTX_up_ref, (ssl_ctx_st*))                                                                     \
  FUNCTION(void, SSL_CTX_free, (ssl_ctx_st*))                                                                      \
  FUNCTION(long, SSL_CTX_ctrl, (ssl_ctx_st*, int, long, void*))                                                    \
  FUNCTION(long, SSL_CTX_callback_ctrl, (ssl_ctx_st*, int, void (*)()))                                            \
  FUNCTION(void, SSL_CTX_set_verify, (ssl_ctx_st*, int, int (*)(int, x509_store_ctx_st*)))                         \
  FUNCTION(void, SSL_CTX_sess_set_new_cb, (ssl_ctx_st*, int (*)(ssl_st*, ssl_session_st*)))                        \
  FUNCTION(void, SSL_CTX_sess_set_get_cb, (ssl_ctx_st*, ssl_session_st * (*)(ssl_st*, const uint8_t*, int, int*))) \
  FUNCTION(void, SSL_CTX_set_alpn_select_cb,                                                                       \
           (ssl_ctx_st*, int (*)(ssl_st*, const uint8_t**, uint8_t*, const uint8_t*, unsigned, void*), void*))     \
  FUNCTION(void, SSL_CTX_set_client_hello_cb, (ssl_ctx_st*, int (*)(ssl_st*, int*, void*), void*))                 \
  FUNCTION(int, SSL_CTX_set_num_tickets, (ssl_ctx_st*, size_t))                                                    \
  FUNCTION(x509_store_st*, SSL_CTX_get_cert_store, (const ssl_ctx_st*))                                            \
  FUNCTION(x509_st*, SSL_CTX_get0_certificate, (const ssl_ctx_st*))                                                \
  FUNCTION(evp_pkey_st*, SSL_CTX_get0_privatekey, (const ssl_ctx_st*))                                             \
  FUNCTION(ssl_st*, SSL_new, (ssl_ctx_st*))                                                                        \
  FUNCTION(void, SSL_free, (ssl_st*))                                                                              \
  FUNCTION(void, SSL_set_bio, (ssl_st*, bio_st*, bio_st*))                                                         \
  FUNCTION(void, SSL_set_accept_state, (ssl_st*))                                                                  \
  FUNCTION(void, SSL_set_connect_state, (ssl_st*))                                                                 \
  FUNCTION(int, SSL_do_handshake, (ssl_st*))                                                                       \
  FUNCTION(int, SSL_read_ex, (ssl_st*, void*, size_t, size_t*))                                                    \
  FUNCTION(int, SSL_write_ex, (ssl_st*, const void*, size_t, size_t*))                                             \
  FUNCTION(int, SSL_shutdown, (ssl_st*))                                                                           \
  FUNCTION(int, SSL_get_error, (const ssl_st*, int))                                                               \
  FUNCTION(int, SSL_get_shutdown, (const ssl_st*))                                                                 \
  FUNCTION(long, SSL_ctrl, (ssl_st*, int, long, void*))                                                            \
  FUNCTION(long, SSL_get_verify_result, (const ssl_st*))                                                           \
  FUNCTION(x509_st*, SSL_get1_peer_certificate, (const ssl_st*))                                                   \
  FUNCTION(void, SSL_get0_alpn_selected, (const ssl_st*, const uint8_t**, unsigned*))                              \
  FUNCTION(int, SSL_version, (const ssl_st*))                                                                      \
  FUNCTION(int, SSL_session_reused, (const ssl_st*))                                                               \
  FUNCTION(int, SSL_set_session, (ssl_st*, ssl_session_st*))                                                       \
  FUNCTION(int, SSL_SESSION_up_ref, (ssl_session_st*))                                                             \
  FUNCTION(void, SSL_SESSION_free, (ssl_session_st*))                                                              \
  FUNCTION(int, SSL_set_alpn_protos, (ssl_st*, const uint8_t*, unsigned))                                          \
  FUNCTION(int, SSL_client_hello_get0_ext, (ssl_st*, unsigned, const uint8_t**, size_t*))                          \
  FUNCTION(void, SSL_certs_clear, (ssl_st*))                                                                       \
  FUNCTION(int, SSL_use_cert_and_key, (ssl_st*, x509_st*, evp_pkey_st*, stack_st*, int))                           \
  FUNCTION(int, SSL_set_ex_data, (ssl_st*, int, void*))                                                            \
  FUNCTION(void*, SSL_get_ex_data, (const ssl_st*, int))                                                           \
  FUNCTION(int, X509_up_ref, (x509_st*))                                                                           \
  FUNCTION(void, X509_free, (x509_st*))                                                                            \
  FUNCTION(int, i2d_X509, (const x509_st*, uint8_t**))                                                             \
  FUNCTION(stack_st*, X509_chain_up_ref, (stack_st*))                                                              \
  FUNCTION(int, X509_STORE_up_ref, (x509_store_st*))                                                               \
  FUNCTION(void, X509_STORE_free, (x509_store_st*))                                                                \
  FUNCTION(int, EVP_PKEY_up_ref, (evp_pkey_st*))                                                                   \
  FUNCTION(void, EVP_PKEY_free, (evp_pkey_st*))                                                                    \
  FUNCTION(void, OPENSSL_sk_pop_free, (stack_st*, void (*)(void*)))                                                \
  FUNCTION(bio_method_st*, BIO_meth_new, (int, const char*))                                                       \
  FUNCTION(int, BIO_meth_set_read, (bio_method_st*, int (*)(bio_st*, char*, int)))                                 \
  FUNCTION(int, BIO_meth_set_write, (bio_method_st*, int (*)(bio_st*, const char*, int)))                          \
  FUNCTION(int, BIO_meth_set_ctrl, (bio_method_st*, long (*)(bio_st*, int, long, void*)))                          \
  FUNCTION(bio_st*, BIO_new, (const bio_method_st*))                                                               \
  FUNCTION(int, BIO_free, (bio_st*))                                                                               \
  FUNCTION(int, BIO_up_ref, (bio_st*))                                                                             \
  FUNCTION(void, BIO_set_data, (bio_st*, void*))                                                                   \
  FUNCTION(void*, BIO_get_data, (bio_st*))                                                                         \
  FUNCTION(void, BIO_set_init, (bio_st*, int))                                                                     \
  FUNCTION(void, BIO_set_flags, (bio_st*, int))                                                                    \
  FUNCTION(void, BIO_clear_flags, (bio_st*, int))                                                                  \
  FUNCTION(unsigned long, ERR_peek_error, ())                                                                      \
  FUNCTION(void, ERR_clear_error, ())                                                                              \
  FUNCTION(const char*, ERR_reason_error_string, (unsigned long))                                                  \
  FUNCTION(const char*, X509_verify_cert_error_string, (long))

struct OpenSsl {
#define DMICRO_MEMBER(result, name, arguments) result(*name) arguments;
  DMICRO_OPENSSL_FUNCTIONS(DMICRO_MEMBER)
#undef DMICRO_MEMBER
};

// Numbers of OpenSSL's headers.
namespace openssl {

inline constexpr int kCtrlMessageCallback = 15, kCtrlMode = 33, kCtrlSessionCacheMode = 44, kCtrlHostname = 55,
                     kCtrlTicketKeys = 59, kCtrlTicketKeyCallback = 72, kCtrlVerifyCertStore = 106, kCtrlGetChain = 115,
                     kCtrlCurrentCert = 117;
inline constexpr long kCertFirst = 1, kCertNext = 2;
inline constexpr long kModeMovingWriteBuffer = 2, kModeReleaseBuffers = 16;
inline constexpr long kCacheClient = 1, kCacheServer = 2, kCacheNoInternal = 768;
inline constexpr int kErrorSsl = 1, kErrorWantRead = 2, kErrorZeroReturn = 6, kErrorWantClientHello = 11;
inline constexpr int kHelloSuccess = 1, kHelloError = 0, kHelloRetry = -1;
inline constexpr int kAlertFatal = 2;  // result of the ALPN callback
inline constexpr int kAlertUnrecognizedName = 112;
inline constexpr int kVerifyPeer = 1, kVerifyFailIfNoCertificate = 2;
inline constexpr int kReceivedShutdown = 2;
inline constexpr int kBioFlush = 11, kBioRead = 1, kBioRetry = 8, kBioSourceSink = 1024;
inline constexpr int kHandshakeRecord = 22;
inline constexpr int kTooManyKeyUpdates = 20 << 23 | 132;  // as an error of its library for TLS
inline constexpr int kCertificateVerifyFailed = 134, kReasonMask = 0x7fffff;
inline constexpr unsigned kExtServerName = 0, kExtAlpn = 16;
inline constexpr size_t kTicketKeys = 80;

}  // namespace openssl
}  // namespace dmicro
