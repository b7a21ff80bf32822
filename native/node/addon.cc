#include <napi.h>
#include <uv.h>

#include <cstdlib>
#include <string>

#include "io/address.h"
#include "node/arguments.h"
#include "node/environment.h"
#include "node/raw_codec.h"

// What JavaScript can call: src/native.ts declares the same list with its types. Arguments are positional and already
// validated there; nothing here runs once per message.

namespace dmicro {
namespace {

Napi::Value None(const Napi::CallbackInfo& info) { return info.Env().Undefined(); }

// Null, with an exception pending, before start().
Reactor* ReactorOf(const Napi::CallbackInfo& info) {
  Reactor* const reactor = Environment::Of(info)->reactor();
  if (reactor == nullptr) Napi::Error::New(info.Env(), "not started").ThrowAsJavaScriptException();
  return reactor;
}

// start(onBatch): the rings as ArrayBuffers
Napi::Value Start(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Napi::Function on_batch = arguments.Function(0);
  return arguments.Ok() ? Environment::Of(info)->Start(info, on_batch) : None(info);
}

// The five arguments from `at` on: maxMessage, maxFilters, maxUnsent, frameTimeout, writeTimeout.
WireLimits LimitsAt(Arguments* arguments, size_t at) {
  WireLimits limits;
  limits.frame = {arguments->Size32(at), arguments->Size32(at + 1)};
  limits.max_unsent = arguments->Size(at + 2);
  limits.frame_timeout = arguments->Size32(at + 3);
  limits.write_timeout = arguments->Size32(at + 4);
  return limits;
}

// listen(host | null, port, path | null, backlog, …limits): id, or a libuv error code
Napi::Value Listen(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  std::string host, path;
  const bool tcp = arguments.Text(0, &host);
  const int port = arguments.Int(1);
  arguments.Expect(arguments.Text(2, &path) != tcp, 2, "a path exactly when there is no host");
  const int backlog = arguments.Int(3);
  const WireLimits limits = LimitsAt(&arguments, 4);
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  const int32_t id = reactor->Listen(tcp ? host.c_str() : nullptr, port, path.c_str(), backlog, limits);
  return Napi::Number::New(info.Env(), id);
}

// dial(host | null, port, path | null, …limits): slot, or a libuv error code
Napi::Value Dial(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  std::string host, path;
  const bool tcp = arguments.Text(0, &host);
  const int port = arguments.Int(1);
  arguments.Expect(arguments.Text(2, &path) != tcp, 2, "a path exactly when there is no host");
  const WireLimits limits = LimitsAt(&arguments, 3);
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  const int32_t slot = reactor->Dial(tcp ? host.c_str() : nullptr, port, path.c_str(), limits);
  return Napi::Number::New(info.Env(), slot);
}

// closeListener(id)
Napi::Value CloseListener(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t id = arguments.Int(0);
  if (reactor != nullptr && arguments.Ok()) reactor->CloseListener(id);
  return None(info);
}

// listenerAddress(id): 'host:port' or path, '' when unknown
Napi::Value ListenerAddress(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t id = arguments.Int(0);
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  Listener* const listener = reactor->FindListener(id);
  return Napi::String::New(info.Env(), listener == nullptr ? std::string() : LocalAddress(listener->uv()));
}

// localAddress(slot, generation), remoteAddress(slot, generation): 'host:port' or path, '' when unknown
template <std::string (*kAddress)(const uv_handle_t*)>
Napi::Value Address(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t slot = arguments.Int(0), generation = arguments.Int(1);
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  Connection* const connection = reactor->Find(slot, generation);
  return Napi::String::New(info.Env(), connection == nullptr ? std::string() : kAddress(connection->uv()));
}

// end(slot, generation)
Napi::Value End(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t slot = arguments.Int(0), generation = arguments.Int(1);
  if (reactor != nullptr && arguments.Ok()) reactor->End(slot, generation);
  return None(info);
}

// destroy(slot, generation, reason)
Napi::Value Destroy(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t slot = arguments.Int(0), generation = arguments.Int(1);
  const uint32_t reason = arguments.Size32(2);
  arguments.Expect(reason < std::size(kCloseReasonText), 2, "a close reason");
  if (reactor != nullptr && arguments.Ok()) reactor->Destroy(slot, generation, static_cast<CloseReason>(reason));
  return None(info);
}

// drain(): sends what is in the outbox now, when it is full
Napi::Value Drain(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  if (reactor != nullptr) reactor->Drain();
  return None(info);
}

// drainWith(body): the same, the last message's body being `body`, which is too large for the outbox
Napi::Value DrainWith(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const Bytes body = arguments.Bytes(0);
  if (reactor != nullptr && arguments.Ok()) reactor->DrainWith(body);
  return None(info);
}

// unsent(slot, generation): bytes the peer has not taken
Napi::Value Unsent(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t slot = arguments.Int(0), generation = arguments.Int(1);
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  return Napi::Number::New(info.Env(), static_cast<double>(reactor->Unsent(slot, generation)));
}

// takeLarge(index): ArrayBuffer, once and during a batch; undefined otherwise
Napi::Value TakeLarge(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const int32_t index = arguments.Int(0);
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  const Reactor::Large large = reactor->TakeLarge(index);
  if (large.data == nullptr) return None(info);
  // A copy: some environments forbid external memory, and one pass over it is small beside decoding it.
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(info.Env(), large.size);
  if (!info.Env().IsExceptionPending()) std::memcpy(copy.Data(), large.data, large.size);
  std::free(large.data);
  return copy;
}

// intern(id, name): false when `id` is not the next
Napi::Value Intern(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const uint32_t id = arguments.Size32(0);
  const Bytes name = arguments.Bytes(1);
  arguments.Expect(name.size <= kMaxMethod, 1, "at most 255 bytes");
  if (reactor == nullptr || !arguments.Ok()) return None(info);
  return Napi::Boolean::New(info.Env(), reactor->names().Add(id, name));
}

// busyPoll(microseconds)
Napi::Value BusyPoll(const Napi::CallbackInfo& info) {
  Reactor* const reactor = ReactorOf(info);
  Arguments arguments(info);
  const uint32_t microseconds = arguments.Size32(0);
  if (reactor != nullptr && arguments.Ok()) reactor->BusyPoll(microseconds);
  return None(info);
}

// libuv is outside the Node-API promise: a binary whose handles have other sizes than the running libuv's must not
// touch it.
bool LibuvFits() {
  return uv_loop_size() == sizeof(uv_loop_t) && uv_handle_size(UV_TCP) == sizeof(uv_tcp_t) &&
         uv_handle_size(UV_NAMED_PIPE) == sizeof(uv_pipe_t) && uv_handle_size(UV_PREPARE) == sizeof(uv_prepare_t) &&
         uv_handle_size(UV_CHECK) == sizeof(uv_check_t) && uv_handle_size(UV_TIMER) == sizeof(uv_timer_t) &&
         uv_handle_size(UV_IDLE) == sizeof(uv_idle_t) && uv_req_size(UV_WRITE) == sizeof(uv_write_t) &&
         uv_req_size(UV_CONNECT) == sizeof(uv_connect_t) && uv_req_size(UV_SHUTDOWN) == sizeof(uv_shutdown_t);
}

// Numbers and texts that src/ has too; it compares them when it loads the addon.
void SetConstants(Napi::Env env, Napi::Object exports) {
  const uint32_t layout[] = {kInboxSize, kOutboxSize, kMaxRecords, kMaxSends, sizeof(Record) / 4, sizeof(Send) / 4};
  Napi::Array numbers = Napi::Array::New(env);
  for (uint32_t i = 0; i < std::size(layout); i++) numbers[i] = layout[i];
  exports["layout"] = numbers;
  Napi::Array reasons = Napi::Array::New(env);
  for (uint32_t i = 0; i < std::size(kCloseReasonText); i++) reasons[i] = kCloseReasonText[i];
  exports["closeReasons"] = reasons;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (!LibuvFits()) {
    Napi::Error::New(env, "built for another libuv than the one running").ThrowAsJavaScriptException();
    return exports;
  }
  Environment* const environment = new Environment(env);
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports[name] = Napi::Function::New(env, function, name, environment);
  };
  add("start", Start);
  add("listen", Listen);
  add("dial", Dial);
  add("closeListener", CloseListener);
  add("listenerAddress", ListenerAddress);
  add("localAddress", Address<LocalAddress>);
  add("remoteAddress", Address<RemoteAddress>);
  add("end", End);
  add("destroy", Destroy);
  add("drain", Drain);
  add("drainWith", DrainWith);
  add("unsent", Unsent);
  add("takeLarge", TakeLarge);
  add("intern", Intern);
  add("busyPoll", BusyPoll);
  add("unpack", Unpack);
  add("pack", Pack);
  SetConstants(env, exports);
  return exports;
}

}  // namespace
}  // namespace dmicro

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return dmicro::Init(env, exports); }
NODE_API_MODULE(dmicro, InitAddon)
