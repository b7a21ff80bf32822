#pragma once

#include <atomic>
#include <string>

#include "layer/openssl.h"

// A table of functions that behaves as OpenSSL does towards TlsLayer, with a cipher that is none: records are a type
// ('h' handshake, 'd' data, 'c' close_notify), two bytes of length, masked bytes and a sum. A handshake is one message
// from each side. What is tested is the layer: all that it feeds, keeps and returns. Not a model of TLS. Connections of
// several threads may share a context, as with OpenSSL; all else belongs to one thread.

struct bio_st {
  int references = 1;
  int flags = 0;
};

struct bio_method_st {
  int (*read)(bio_st*, char*, int) = nullptr;
  int (*write)(bio_st*, const char*, int) = nullptr;
};

struct ssl_ctx_st {
  std::atomic<int> references = 1;
  int (*on_hello)(ssl_st*, int*, void*) = nullptr;
  int (*on_session)(ssl_st*, ssl_session_st*) = nullptr;
};

struct ssl_session_st {
  std::atomic<int> references = 1;
};

struct ssl_st {
  ssl_ctx_st* context = nullptr;
  bio_st* bio = nullptr;
  bool server = false;
  bool secure = false;
  bool hello_sent = false;
  bool hello_received = false;
  bool resumed = false;
  bool received_shutdown = false;
  bool sent_shutdown = false;
  int error = 0;
  void* data = nullptr;
  std::string record;  // bytes of the unfinished record
  std::string clear;   // bytes of a record that were not read yet
};

namespace dmicro::stub {

inline constexpr size_t kMaxRecord = 4096;
inline constexpr unsigned long kBadRecord = 0x0A000119;

struct State {
  bio_method_st method;
  std::atomic<int> connections = 0;
  std::atomic<int> sessions = 0;
};
inline State& state() {
  static State one;
  return one;
}

// The error queue of this thread.
inline unsigned long& error() {
  static thread_local unsigned long one = 0;
  return one;
}

inline void FreeSession(ssl_session_st* session) {
  if (--session->references > 0) return;
  state().sessions--;
  delete session;
}

inline void Put(ssl_st* ssl, char type, const char* bytes, size_t size) {
  std::string record{type, static_cast<char>(size >> 8), static_cast<char>(size)};
  char sum = type;
  for (size_t i = 0; i < size; i++) {
    record += static_cast<char>(bytes[i] ^ 0x5a);
    sum = static_cast<char>(sum * 31 + bytes[i]);
  }
  record += sum;
  state().method.write(ssl->bio, record.data(), static_cast<int>(record.size()));
}

inline int Fail(ssl_st* ssl) {
  error() = kBadRecord;
  ssl->error = openssl::kErrorSsl;
  Put(ssl, 'a', "!", 1);
  return -1;
}

// Reads `size` bytes of a record, as OpenSSL does: no byte ahead. Returns false when they have not all come.
inline bool Fill(ssl_st* ssl, size_t size) {
  while (ssl->record.size() < size) {
    char part[512];
    const size_t missing = size - ssl->record.size();
    const int n = state().method.read(ssl->bio, part, static_cast<int>(missing < sizeof part ? missing : sizeof part));
    if (n <= 0) {
      ssl->error = openssl::kErrorWantRead;
      return false;
    }
    ssl->record.append(part, static_cast<size_t>(n));
  }
  return true;
}

// Returns the type of the next record, 0 when it has not come, -1 when it is bad. Its content is appended to `clear`.
inline int NextRecord(ssl_st* ssl) {
  if (!Fill(ssl, 3)) return 0;
  const char type = ssl->record[0];
  const size_t size =
      static_cast<size_t>(static_cast<uint8_t>(ssl->record[1])) << 8 | static_cast<uint8_t>(ssl->record[2]);
  if (size > kMaxRecord) return Fail(ssl);
  if (!Fill(ssl, size + 4)) return 0;
  char sum = type;
  std::string content;
  for (size_t i = 0; i < size; i++) {
    content += static_cast<char>(ssl->record[3 + i] ^ 0x5a);
    sum = static_cast<char>(sum * 31 + content.back());
  }
  const bool good = sum == ssl->record[3 + size];
  ssl->record.clear();
  if (!good) return Fail(ssl);
  if (type == 'd') ssl->clear += content;
  return static_cast<uint8_t>(type);
}

inline int DoHandshake(ssl_st* ssl) {
  if (ssl->secure) return 1;
  if (ssl->error == openssl::kErrorSsl) return -1;
  if (!ssl->server && !ssl->hello_sent) {
    Put(ssl, 'h', "client", 6);
    ssl->hello_sent = true;
  }
  if (!ssl->hello_received) {
    const int type = NextRecord(ssl);
    if (type == 0) return -1;
    if (type != 'h') return type < 0 ? -1 : Fail(ssl);
    ssl->hello_received = true;
  }
  if (ssl->server && ssl->context->on_hello != nullptr) {
    int alert = 0;
    const int result = ssl->context->on_hello(ssl, &alert, nullptr);
    if (result == openssl::kHelloRetry) {
      ssl->error = openssl::kErrorWantClientHello;
      return -1;
    }
    if (result != openssl::kHelloSuccess) return Fail(ssl);
  }
  if (ssl->server) Put(ssl, 'h', "server", 6);
  ssl->secure = true;
  if (!ssl->server && ssl->context->on_session != nullptr) {
    state().sessions++;
    ssl_session_st* const session = new ssl_session_st;
    if (ssl->context->on_session(ssl, session) == 0) FreeSession(session);
  }
  return 1;
}

inline int Read(ssl_st* ssl, void* to, size_t size, size_t* n) {
  if (!ssl->secure) return 0;
  for (;;) {
    if (!ssl->clear.empty()) {
      *n = ssl->clear.copy(static_cast<char*>(to), size);
      ssl->clear.erase(0, *n);
      return 1;
    }
    if (ssl->received_shutdown) {
      ssl->error = openssl::kErrorZeroReturn;
      return 0;
    }
    const int type = NextRecord(ssl);
    if (type <= 0) return 0;
    if (type == 'c') ssl->received_shutdown = true;
    if (type != 'c' && type != 'd') {
      Fail(ssl);
      return 0;
    }
  }
}

inline OpenSsl Table() {
  OpenSsl table{};
  table.SSL_CTX_up_ref = [](ssl_ctx_st* ctx) { return ++ctx->references; };
  table.SSL_CTX_free = [](ssl_ctx_st* ctx) { ctx->references--; };
  table.SSL_CTX_ctrl = [](ssl_ctx_st*, int, long, void*) { return 0L; };
  table.SSL_CTX_callback_ctrl = [](ssl_ctx_st*, int, void (*)()) { return 0L; };
  table.SSL_CTX_set_verify = [](ssl_ctx_st*, int, int (*)(int, x509_store_ctx_st*)) {};
  table.SSL_CTX_sess_set_new_cb = [](ssl_ctx_st* ctx, int (*callback)(ssl_st*, ssl_session_st*)) {
    ctx->on_session = callback;
  };
  table.SSL_CTX_sess_set_get_cb = [](ssl_ctx_st*, ssl_session_st* (*)(ssl_st*, const uint8_t*, int, int*)) {};
  table.SSL_CTX_set_alpn_select_cb =
      [](ssl_ctx_st*, int (*)(ssl_st*, const uint8_t**, uint8_t*, const uint8_t*, unsigned, void*), void*) {};
  table.SSL_CTX_set_client_hello_cb = [](ssl_ctx_st* ctx, int (*callback)(ssl_st*, int*, void*), void*) {
    ctx->on_hello = callback;
  };
  table.SSL_CTX_set_num_tickets = [](ssl_ctx_st*, size_t) { return 1; };
  table.SSL_new = [](ssl_ctx_st* ctx) {
    state().connections++;
    ssl_st* const made = new ssl_st;
    made->context = ctx;
    return made;
  };
  table.SSL_free = [](ssl_st* ssl) {
    if (ssl == nullptr) return;
    state().connections--;
    if (ssl->bio != nullptr) {
      if (--ssl->bio->references == 0) delete ssl->bio;
    }
    delete ssl;
  };
  table.SSL_set_bio = [](ssl_st* ssl, bio_st* read, bio_st*) { ssl->bio = read; };
  table.SSL_set_accept_state = [](ssl_st* ssl) { ssl->server = true; };
  table.SSL_set_connect_state = [](ssl_st* ssl) { ssl->server = false; };
  table.SSL_do_handshake = DoHandshake;
  table.SSL_read_ex = Read;
  table.SSL_write_ex = [](ssl_st* ssl, const void* bytes, size_t size, size_t* written) {
    if (!ssl->secure || ssl->sent_shutdown) return 0;
    for (size_t at = 0; at < size; at += kMaxRecord) {
      Put(ssl, 'd', static_cast<const char*>(bytes) + at, size - at < kMaxRecord ? size - at : kMaxRecord);
    }
    *written = size;
    return 1;
  };
  table.SSL_shutdown = [](ssl_st* ssl) {
    if (!ssl->sent_shutdown) Put(ssl, 'c', "", 0);
    ssl->sent_shutdown = true;
    return 0;
  };
  table.SSL_get_error = [](const ssl_st* ssl, int) { return ssl->error; };
  table.SSL_ctrl = [](ssl_st*, int, long, void*) { return 0L; };
  table.SSL_get_verify_result = [](const ssl_st*) { return 0L; };
  table.SSL_get1_peer_certificate = [](const ssl_st*) -> x509_st* { return nullptr; };
  table.SSL_get0_alpn_selected = [](const ssl_st*, const uint8_t** name, unsigned* size) {
    static const uint8_t protocol[] = {'p', '1'};
    *name = protocol;
    *size = sizeof protocol;
  };
  table.SSL_version = [](const ssl_st*) { return 0x304; };
  table.SSL_session_reused = [](const ssl_st* ssl) { return ssl->resumed ? 1 : 0; };
  table.SSL_set_session = [](ssl_st* ssl, ssl_session_st*) {
    ssl->resumed = true;
    return 1;
  };
  table.SSL_SESSION_up_ref = [](ssl_session_st* session) { return ++session->references; };
  table.SSL_SESSION_free = FreeSession;
  table.SSL_set_alpn_protos = [](ssl_st*, const uint8_t*, unsigned) { return 0; };
  table.SSL_client_hello_get0_ext = [](ssl_st*, unsigned type, const uint8_t** data, size_t* size) {
    static const uint8_t name[] = {0, 7, 0, 0, 4, 'h', 'o', 's', 't'};
    static const uint8_t alpn[] = {0, 6, 2, 'p', '1', 2, 'p', '2'};
    *data = type == openssl::kExtAlpn ? alpn : name;
    *size = type == openssl::kExtAlpn ? sizeof alpn : sizeof name;
    return 1;
  };
  table.SSL_set_ex_data = [](ssl_st* ssl, int, void* data) {
    ssl->data = data;
    return 1;
  };
  table.SSL_get_ex_data = [](const ssl_st* ssl, int) { return ssl->data; };
  table.BIO_meth_new = [](int, const char*) { return &state().method; };
  table.BIO_meth_set_read = [](bio_method_st* method, int (*read)(bio_st*, char*, int)) {
    method->read = read;
    return 1;
  };
  table.BIO_meth_set_write = [](bio_method_st* method, int (*write)(bio_st*, const char*, int)) {
    method->write = write;
    return 1;
  };
  table.BIO_meth_set_ctrl = [](bio_method_st*, long (*)(bio_st*, int, long, void*)) { return 1; };
  table.BIO_new = [](const bio_method_st*) { return new bio_st; };
  table.BIO_free = [](bio_st* bio) {
    if (--bio->references == 0) delete bio;
    return 1;
  };
  table.BIO_up_ref = [](bio_st* bio) { return ++bio->references; };
  table.BIO_set_init = [](bio_st*, int) {};
  table.BIO_set_flags = [](bio_st* bio, int flags) { bio->flags |= flags; };
  table.BIO_clear_flags = [](bio_st* bio, int flags) { bio->flags &= ~flags; };
  table.ERR_peek_error = [] { return error(); };
  table.ERR_clear_error = [] { error() = 0; };
  return table;
}

}  // namespace dmicro::stub
