#include "layer/tls_layer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace dmicro {
namespace {

using namespace openssl;

// Bytes that OpenSSL reads and writes on this thread. All connections of a thread share one BIO, because only one of
// them runs at a time, and an idle connection needs none.
struct ThreadIo {
  Bytes* in = nullptr;
  ByteQueue* out = nullptr;
  const OpenSsl* ssl = nullptr;
  bio_st* bio = nullptr;

  ~ThreadIo() {
    if (bio != nullptr) ssl->BIO_free(bio);
  }
};

thread_local ThreadIo thread_io;

// Messages of the handshake that a peer may send after it: as many at once, and then one per second. A server sends
// some tickets, either side now and then a new key. Each of 27 bytes takes some 20 us, and OpenSSL takes any number.
constexpr uint32_t kMaxLate = 32;

uint32_t Seconds() {
  using std::chrono::duration_cast, std::chrono::seconds, std::chrono::steady_clock;
  return static_cast<uint32_t>(duration_cast<seconds>(steady_clock::now().time_since_epoch()).count());
}

int ReadBio(bio_st* bio, char* to, int size) {
  ThreadIo& io = thread_io;
  io.ssl->BIO_clear_flags(bio, kBioRead | kBioRetry);
  const size_t n = io.in == nullptr ? 0 : std::min(io.in->size, static_cast<size_t>(std::max(size, 0)));
  if (n == 0) {
    io.ssl->BIO_set_flags(bio, kBioRead | kBioRetry);
    return -1;
  }
  std::memcpy(to, io.in->data, n);
  *io.in = {io.in->data + n, io.in->size - n};
  return static_cast<int>(n);
}

int WriteBio(bio_st*, const char* from, int size) {
  if (size <= 0) return 0;
  if (thread_io.out != nullptr) {
    thread_io.out->Append({reinterpret_cast<const uint8_t*>(from), static_cast<size_t>(size)});
  }
  return size;
}

long ControlBio(bio_st*, int command, long, void*) { return command == kBioFlush ? 1 : 0; }

// Returns a reference to the BIO of this thread.
bio_st* TakeBio(const OpenSsl& ssl) {
  ThreadIo& io = thread_io;
  if (io.bio == nullptr) {
    // Never freed: BIOs of other threads may use it.
    static bio_method_st* const method = [&ssl] {
      bio_method_st* const made = ssl.BIO_meth_new(kBioSourceSink, "dmicro");
      ssl.BIO_meth_set_read(made, ReadBio);
      ssl.BIO_meth_set_write(made, WriteBio);
      ssl.BIO_meth_set_ctrl(made, ControlBio);
      return made;
    }();
    io.ssl = &ssl;
    io.bio = ssl.BIO_new(method);
    ssl.BIO_set_init(io.bio, 1);
  }
  ssl.BIO_up_ref(io.bio);
  return io.bio;
}

void PutBig16(std::string* to, size_t value) {
  *to += static_cast<char>(value >> 8);
  *to += static_cast<char>(value);
}

// The first name of a server_name extension; empty when there is none, or the bytes are none.
std::string ServerName(const uint8_t* data, size_t size) {
  if (size < 5 || data[2] != 0) return {};
  const size_t length = static_cast<size_t>(data[3]) << 8 | data[4];
  return length > size - 5 ? std::string() : std::string(reinterpret_cast<const char*>(data + 5), length);
}

// Returns whether `list` is a list of names, each with its length before it.
bool IsNameList(const uint8_t* list, size_t size) {
  while (size != 0) {
    const size_t length = list[0];
    if (length == 0 || length >= size) return false;
    list += length + 1;
    size -= length + 1;
  }
  return true;
}

// Returns the name in `list` that is equal to the `length` bytes at `name`; null when there is none.
const uint8_t* FindName(const uint8_t* list, size_t size, const uint8_t* name, size_t length) {
  for (size_t at = 0; at < size; at += list[at] + size_t{1}) {
    if (list[at] == length && at + length < size && std::memcmp(list + at + 1, name, length) == 0) return list + at + 1;
  }
  return nullptr;
}

}  // namespace

class TlsLayer::Run {
 public:
  Run(const OpenSsl& ssl, Bytes* in, ByteQueue* out) {
    thread_io.in = in;
    thread_io.out = out;
    // Errors that others have left on this thread would be taken for ours. A look costs less than clearing.
    if (ssl.ERR_peek_error() != 0) ssl.ERR_clear_error();
  }
  ~Run() {
    thread_io.in = nullptr;
    thread_io.out = nullptr;
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
};

TlsLayer::TlsLayer(std::shared_ptr<TlsContext> context, const std::string& server, std::string key)
    : context_(std::move(context)),
      ssl_(*context_->ssl()),
      connection_(ssl_.SSL_new(context_->get())),
      opening_(std::make_unique<Opening>()),
      late_left_(kMaxLate) {
  failed_ = connection_ == nullptr;
  if (failed_) return;
  opening_->key = std::move(key);
  ssl_.SSL_set_ex_data(connection_, 0, this);
  bio_st* const bio = TakeBio(ssl_);
  ssl_.SSL_set_bio(connection_, bio, bio);  // takes one reference, because both are the same
  const TlsSettings& settings = context_->settings();
  if (settings.server) {
    ssl_.SSL_set_accept_state(connection_);
    return;
  }
  ssl_.SSL_set_connect_state(connection_);
  if (!server.empty()) ssl_.SSL_ctrl(connection_, kCtrlHostname, 0, const_cast<char*>(server.c_str()));
  if (!settings.protocols.empty()) {
    ssl_.SSL_set_alpn_protos(connection_, reinterpret_cast<const uint8_t*>(settings.protocols.data()),
                             static_cast<unsigned>(settings.protocols.size()));
  }
  if (!opening_->key.empty()) context_->Offer(opening_->key, connection_);
}

bool TlsLayer::IsProtocolList(const std::string& list) {
  return IsNameList(reinterpret_cast<const uint8_t*>(list.data()), list.size());
}

TlsLayer::~TlsLayer() { ssl_.SSL_free(connection_); }

void TlsLayer::Start(ByteQueue* out) {
  if (failed_ || secure_) return;
  const Run run(ssl_, nullptr, out);
  Handshake();
}

void TlsLayer::Answer(bool refuse, std::shared_ptr<TlsIdentity> identity, std::string protocol) {
  if (secure_ || failed_ || opening_->hello != Hello::kAsked) return;
  opening_->hello = refuse ? Hello::kRefused : Hello::kAccepted;
  opening_->identity = std::move(identity);
  opening_->protocol = std::move(protocol);
}

LayerStatus TlsLayer::Receive(Bytes* in, uint8_t* to, size_t size, size_t* n, ByteQueue* out) {
  *n = 0;
  if (failed_) return LayerStatus::kFailed;
  if (ended_) {
    *in = {in->data + in->size, 0};
    return LayerStatus::kEnded;
  }
  if (opening_ != nullptr && opening_->event_kind != 0) return LayerStatus::kEvent;
  const Run run(ssl_, in, out);
  if (!secure_) return Handshake();
  do {
    size_t got = 0;
    const int result = ssl_.SSL_read_ex(connection_, to + *n, size - *n, &got);
    if (result == 1) {
      *n += got;
      continue;
    }
    switch (ssl_.SSL_get_error(connection_, result)) {
      case kErrorWantRead:
        return failed_ ? LayerStatus::kFailed : LayerStatus::kMore;
      case kErrorZeroReturn:
        ended_ = true;
        *in = {in->data + in->size, 0};  // nothing counts after the end
        return LayerStatus::kEnded;
      default:
        return Fail();
    }
    // With less than `size` bytes and nothing left to read OpenSSL has no further record: it reads no byte ahead.
  } while (*n != size && in->size != 0);
  return LayerStatus::kMore;
}

// Requires a Run.
LayerStatus TlsLayer::Handshake() {
  if (opening_->hello == Hello::kAsked) return LayerStatus::kWait;
  const int result = ssl_.SSL_do_handshake(connection_);
  if (result == 1) {
    secure_ = true;
    opening_->event = Facts();
    opening_->event_kind = kTlsSecure;
    return LayerStatus::kEvent;
  }
  switch (ssl_.SSL_get_error(connection_, result)) {
    case kErrorWantRead:
      return LayerStatus::kMore;
    case kErrorWantClientHello:
      return LayerStatus::kEvent;
    default:
      return Fail();
  }
}

LayerStatus TlsLayer::Fail() {
  failed_ = true;
  const unsigned long code = ssl_.ERR_peek_error();
  const long verified = ssl_.SSL_get_verify_result(connection_);
  const bool unverified = verified != 0 && (code & kReasonMask) == kCertificateVerifyFailed;
  error_ = unverified ? -static_cast<int32_t>(verified) : static_cast<int32_t>(code & 0x7fffffff);
  ssl_.ERR_clear_error();
  if (opening_ != nullptr && !opening_->key.empty()) context_->Forget(opening_->key);
  return LayerStatus::kFailed;
}

bool TlsLayer::Send(Bytes bytes, ByteQueue* out) {
  if (failed_ || !secure_ || end_sent_) return false;
  if (bytes.size == 0) return true;
  const Run run(ssl_, nullptr, out);
  size_t written = 0;
  return ssl_.SSL_write_ex(connection_, bytes.data, bytes.size, &written) == 1;
}

void TlsLayer::End(ByteQueue* out) {
  if (failed_ || !secure_ || std::exchange(end_sent_, true)) return;
  const Run run(ssl_, nullptr, out);
  ssl_.SSL_shutdown(connection_);
}

LayerEvent TlsLayer::TakeEvent() {
  if (opening_ == nullptr) return {};
  LayerEvent event{std::exchange(opening_->event_kind, 0), std::exchange(opening_->event, {})};
  // The parts that only the handshake needs are freed; a client goes on to receive sessions.
  if (secure_ && opening_->key.empty()) opening_.reset();
  return event;
}

std::string TlsLayer::Facts() const {
  std::string facts;
  PutBig16(&facts, static_cast<size_t>(ssl_.SSL_version(connection_)));
  facts += static_cast<char>(ssl_.SSL_session_reused(connection_) == 1);
  const uint32_t verified = static_cast<uint32_t>(ssl_.SSL_get_verify_result(connection_));
  PutBig16(&facts, verified >> 16 & 0xffff);
  PutBig16(&facts, verified & 0xffff);
  const uint8_t* protocol = nullptr;
  unsigned length = 0;
  ssl_.SSL_get0_alpn_selected(connection_, &protocol, &length);
  length = std::min(length, 255u);
  facts += static_cast<char>(length);
  if (length != 0) facts.append(reinterpret_cast<const char*>(protocol), length);
  x509_st* const certificate = ssl_.SSL_get1_peer_certificate(connection_);
  if (certificate == nullptr) return facts;
  const int size = ssl_.i2d_X509(certificate, nullptr);
  if (size > 0) {
    std::string der(static_cast<size_t>(size), '\0');
    uint8_t* to = reinterpret_cast<uint8_t*>(der.data());
    ssl_.i2d_X509(certificate, &to);
    facts += der;
  }
  ssl_.X509_free(certificate);
  return facts;
}

void TlsLayer::OnMessage(int written, int, int type, const void*, size_t, ssl_st* connection, void*) {
  if (written != 0 || type != kHandshakeRecord) return;
  TlsLayer* const self = static_cast<TlsLayer*>(thread_io.ssl->SSL_get_ex_data(connection, 0));
  if (self != nullptr && self->secure_) self->NoteLate();
}

// Fails the connection of a peer that goes on sending messages of the handshake.
void TlsLayer::NoteLate() {
  const uint32_t now = Seconds();
  late_left_ = std::min(late_left_ + (now - std::exchange(late_second_, now)), kMaxLate);
  if (late_left_ != 0) {
    late_left_--;
    return;
  }
  failed_ = true;
  error_ = kTooManyKeyUpdates;
  if (thread_io.in != nullptr) *thread_io.in = {thread_io.in->data + thread_io.in->size, 0};  // OpenSSL stops here
}

int TlsLayer::OnNewSession(ssl_st* connection, ssl_session_st* session) {
  const TlsLayer* const self = static_cast<TlsLayer*>(thread_io.ssl->SSL_get_ex_data(connection, 0));
  if (self != nullptr && self->opening_ != nullptr && !self->opening_->key.empty())
    self->context_->Keep(self->opening_->key, session);
  return 0;  // the reference of the caller is not taken
}

int TlsLayer::OnClientHello(ssl_st* connection, int* alert, void*) {
  TlsLayer* const self = static_cast<TlsLayer*>(thread_io.ssl->SSL_get_ex_data(connection, 0));
  return self == nullptr || self->opening_ == nullptr ? kHelloError : self->Greet(alert);
}

// Asks the upper layer about the client, or does what it has answered. A client that has to send a second hello comes
// here again.
int TlsLayer::Greet(int* alert) {
  Opening& opening = *opening_;
  switch (opening.hello) {
    case Hello::kNone: {
      const uint8_t* data = nullptr;
      size_t size = 0;
      std::string name;
      if (ssl_.SSL_client_hello_get0_ext(connection_, kExtServerName, &data, &size) == 1) name = ServerName(data, size);
      PutBig16(&opening.event, name.size());
      opening.event += name;
      const bool alpn = ssl_.SSL_client_hello_get0_ext(connection_, kExtAlpn, &data, &size) == 1 && size > 2;
      if (alpn && IsNameList(data + 2, size - 2))
        opening.event.append(reinterpret_cast<const char*>(data + 2), size - 2);
      opening.event_kind = kTlsHello;
      opening.hello = Hello::kAsked;
      return kHelloRetry;
    }
    case Hello::kAccepted:
      if (opening.identity == nullptr || std::exchange(opening.identity, nullptr)->ApplyTo(connection_))
        return kHelloSuccess;
      break;
    case Hello::kAsked:
      return kHelloRetry;
    case Hello::kRefused:
      break;
  }
  *alert = kAlertUnrecognizedName;
  return kHelloError;
}

int TlsLayer::OnAlpn(ssl_st* connection, const uint8_t** chosen, uint8_t* chosen_size, const uint8_t* offered,
                     unsigned offered_size, void*) {
  const TlsLayer* const self = static_cast<TlsLayer*>(thread_io.ssl->SSL_get_ex_data(connection, 0));
  if (self == nullptr || self->opening_ == nullptr || !IsNameList(offered, offered_size)) return kAlertFatal;
  const auto use = [&](const uint8_t* name, size_t length) {
    const uint8_t* const found = FindName(offered, offered_size, name, length);
    if (found == nullptr) return false;
    *chosen = found;
    *chosen_size = static_cast<uint8_t>(length);
    return true;
  };
  const std::string& answer = self->opening_->protocol;
  if (!answer.empty()) return use(reinterpret_cast<const uint8_t*>(answer.data()), answer.size()) ? 0 : kAlertFatal;
  const std::string& own = self->context_->settings().protocols;
  if (own.empty()) return 3;  // SSL_TLSEXT_ERR_NOACK: no protocol is agreed upon
  const uint8_t* const list = reinterpret_cast<const uint8_t*>(own.data());
  for (size_t at = 0; at < own.size(); at += list[at] + size_t{1}) {
    if (use(list + at + 1, list[at])) return 0;
  }
  return kAlertFatal;
}

}  // namespace dmicro
