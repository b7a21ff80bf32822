#include "node/tls.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "layer/tls_layer.h"
#include "node/arguments.h"
#include "node/environment.h"
#include "node/openssl_load.h"

namespace dmicro {
namespace {

constexpr napi_type_tag kContextTag{0x8f3d2b6a51c74e09, 0xa1d5e07c3b9f4826};
constexpr napi_type_tag kIdentityTag{0x2c9e4f1db8a6457b, 0x9b04d8f26ea17c35};

// Returns a JavaScript object that holds `value`, and which alone is recognised by its tag.
template <typename T>
Napi::Value Wrap(Napi::Env env, std::shared_ptr<T> value, const napi_type_tag& tag) {
  const Napi::Object object = Napi::Object::New(env);
  auto held = std::make_unique<std::shared_ptr<T>>(std::move(value));
  const auto drop = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<T>*>(data); };
  if (napi_wrap(env, object, held.get(), drop, nullptr, nullptr) != napi_ok) return env.Undefined();
  held.release();
  napi_type_tag_object(env, object, &tag);
  return object;
}

// Returns null, with an exception pending, when the argument is not such an object.
template <typename T>
std::shared_ptr<T> Unwrap(Arguments* arguments, const Napi::CallbackInfo& info, size_t at, const napi_type_tag& tag) {
  bool tagged = false;
  void* held = nullptr;
  if (info[at].IsObject()) napi_check_object_type_tag(info.Env(), info[at], &tag, &tagged);
  if (tagged) napi_unwrap(info.Env(), info[at], &held);
  if (!arguments->Expect(held != nullptr, at, "what the addon has made")) return nullptr;
  return *static_cast<std::shared_ptr<T>*>(held);
}

// Reads an SSL_CTX: the External that a SecureContext of Node.js has.
ssl_ctx_st* ContextAt(Arguments* arguments, const Napi::CallbackInfo& info, size_t at) {
  if (!arguments->Expect(info[at].IsExternal(), at, "the external of a SecureContext")) return nullptr;
  if (!arguments->Ok()) return nullptr;
  void* const context = AddressOfExternal(info[at]);
  arguments->Expect(context != nullptr, at, "the external of a SecureContext");
  return static_cast<ssl_ctx_st*>(context);
}

const OpenSsl* SslOf(Arguments* arguments) {
  const char* reason = "";
  const OpenSsl* const ssl = LoadOpenSsl(&reason);
  arguments->Expect(ssl != nullptr, 0, "passed where OpenSSL is");
  return ssl;
}

Core* CoreAt(Arguments* arguments, const Napi::CallbackInfo& info) {
  Core* const core = Environment::Of(info)->core(arguments->Size32(0));
  return arguments->Expect(core != nullptr, 0, "a core that was started") ? core : nullptr;
}

std::string TextAt(Arguments* arguments, size_t at) {
  const Bytes bytes = arguments->Bytes(at);
  return std::string(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

}  // namespace

// tlsSupport(): '' or why the core cannot do TLS here
Napi::Value TlsSupport(const Napi::CallbackInfo& info) {
  const char* reason = "";
  LoadOpenSsl(&reason);
  return Napi::String::New(info.Env(), reason);
}

// tlsContext(external, server, requestCert, rejectUnauthorized, asks, protocols, ticketKeys): an object for tlsBegin.
// Nothing else may use the SSL_CTX. `ticketKeys` is empty or has 80 bytes.
Napi::Value TlsContextOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const OpenSsl* const ssl = SslOf(&arguments);
  ssl_ctx_st* const context = ContextAt(&arguments, info, 0);
  TlsSettings settings;
  settings.server = arguments.Flag(1);
  settings.request_certificate = arguments.Flag(2);
  settings.reject_unauthorized = arguments.Flag(3);
  settings.asks = arguments.Flag(4);
  settings.protocols = TextAt(&arguments, 5);
  settings.ticket_keys = TextAt(&arguments, 6);
  arguments.Expect(settings.ticket_keys.empty() || settings.ticket_keys.size() == openssl::kTicketKeys, 6,
                   "empty or of 80 bytes");
  arguments.Expect(TlsLayer::IsProtocolList(settings.protocols), 5, "a list of protocols");
  if (!arguments.Ok()) return info.Env().Undefined();
  return Wrap(info.Env(), std::make_shared<TlsContext>(ssl, context, std::move(settings)), kContextTag);
}

// tlsIdentity(external): an object for tlsAnswer, with the certificates of an SSL_CTX
Napi::Value TlsIdentityOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const OpenSsl* const ssl = SslOf(&arguments);
  ssl_ctx_st* const context = ContextAt(&arguments, info, 0);
  if (!arguments.Ok()) return info.Env().Undefined();
  return Wrap(info.Env(), std::make_shared<TlsIdentity>(ssl, context), kIdentityTag);
}

// tlsBegin(core, slot, generation, context, servername | null, key): puts TLS on a connection that was opened paused,
// and reads it. `servername` and `key` are of use to a client.
Napi::Value TlsBegin(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreAt(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  const std::shared_ptr<TlsContext> context = Unwrap<TlsContext>(&arguments, info, 3, kContextTag);
  std::string server, key;
  arguments.Text(4, &server);
  arguments.Text(5, &key);
  if (!arguments.Ok()) return info.Env().Undefined();
  core->Post([slot, generation, context, server, key](Reactor* reactor) {
    auto layer = std::make_unique<TlsLayer>(context, server, key);
    TlsLayer* const tls = layer.get();
    if (!reactor->PushLayer(slot, generation, std::move(layer))) return;
    if (!context->settings().server) {
      reactor->UseLayers(slot, generation, [tls](LayerStack*, ByteQueue* out) { tls->Start(out); });
    }
    reactor->ResumeReading(slot, generation);
  });
  return info.Env().Undefined();
}

// tlsAnswer(core, slot, generation, refuse, identity | null, protocol): answers the event of a client's hello
Napi::Value TlsAnswer(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreAt(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  const bool refuse = arguments.Flag(3);
  std::shared_ptr<TlsIdentity> identity;
  if (!info[4].IsNull()) identity = Unwrap<TlsIdentity>(&arguments, info, 4, kIdentityTag);
  std::string protocol;
  arguments.Text(5, &protocol);
  if (!arguments.Ok()) return info.Env().Undefined();
  core->Post([=](Reactor* reactor) {
    reactor->UseLayers(slot, generation, [&](LayerStack* layers, ByteQueue*) {
      // A connection that asks has TLS at the bottom: no other layer makes that event.
      static_cast<TlsLayer*>(layers->top())->Answer(refuse, identity, protocol);
    });
  });
  return info.Env().Undefined();
}

// tlsErrorText(code): the words of OpenSSL for Layer::Error, '' for 0
Napi::Value TlsErrorText(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t code = arguments.Int(0);
  if (!arguments.Ok()) return info.Env().Undefined();
  const char* reason = "";
  const OpenSsl* const ssl = LoadOpenSsl(&reason);
  const char* text = nullptr;
  if (ssl != nullptr && code < 0) text = ssl->X509_verify_cert_error_string(-static_cast<long>(code));
  if (ssl != nullptr && code > 0) text = ssl->ERR_reason_error_string(static_cast<unsigned long>(code));
  return Napi::String::New(info.Env(), text == nullptr ? "" : text);
}

}  // namespace dmicro
