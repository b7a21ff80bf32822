#include <fcntl.h>
#include <napi.h>
#include <uv.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "node/core_arguments.h"
#include "node/environment.h"
#include "node/kcp.h"
#include "node/layout.h"
#include "node/os.h"
#include "node/raw_codec.h"
#include "node/tls.h"

// Functions that JavaScript can call. src/transports/native/addon.ts declares the same list with types, and
// src/transports/native/ring-layout.ts compares the names of the arguments, which are at the end of this file.
// Arguments are positional, and the TypeScript callers have validated them; no function here runs once per message.

namespace dmicro {
namespace {

Napi::Value None(const Napi::CallbackInfo& info) { return info.Env().Undefined(); }

// start(ownThread, external, onBatch): the number of a new core, and its rings as ArrayBuffers.
Napi::Value Start(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const bool own_thread = arguments.Flag(0);
  const bool external = arguments.Flag(1);
  const Napi::Function on_batch = arguments.Function(2);
  return arguments.Ok() ? Environment::Of(info)->Start(own_thread, external, on_batch) : None(info);
}

// listen(core, host | null, port, path | null, backlog, reusePort, token, adopters, descriptor, …limits): id, or a
// libuv error code. The connections go in turn to the cores whose numbers are in `adopters`, or to this core when there
// are none. `descriptor` is that of a socket that listens already, or negative. The caller still owns it.
Napi::Value Listen(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const Target target = TargetAt(&arguments, 1);
  Reactor::ListenOptions options;
  options.backlog = arguments.Int(4);
  options.reuse_port = arguments.Flag(5);
  options.token = arguments.Int(6);
  if (arguments.Expect(info[7].IsArray(), 7, "an array")) {
    const Napi::Array adopters = info[7].As<Napi::Array>();
    for (uint32_t i = 0; i < adopters.Length(); i++) {
      const Napi::Value number = adopters[i];
      Core* const other =
          number.IsNumber() ? Environment::Of(info)->core(number.As<Napi::Number>().Uint32Value()) : nullptr;
      if (!arguments.Expect(other != nullptr && other->thread() != nullptr, 7, "cores with threads")) break;
      options.adopters.push_back(other->thread());
    }
  }
  const int descriptor = arguments.Int(8);
  options.limits = LimitsAt(&arguments, 9);
  if (!arguments.Ok()) return None(info);
  if (descriptor >= 0) {
    options.socket = OwnedDescriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (options.socket.number() < 0) return Napi::Number::New(info.Env(), uv_translate_sys_error(errno));
  }
  int32_t id = UV_ECANCELED;
  core->Run([&](Reactor* reactor) { id = reactor->Listen(target, std::move(options)); });
  return Napi::Number::New(info.Env(), id);
}

// adopt(core, descriptor, pipe, token, …limits): 0, or a libuv error code. Opens a connection that was accepted
// elsewhere as if a listener with that token had accepted it. The caller still owns the descriptor.
Napi::Value Adopt(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int descriptor = arguments.Int(1);
  const bool pipe = arguments.Flag(2);
  const int32_t token = arguments.Int(3);
  const WireLimits limits = LimitsAt(&arguments, 4);
  if (!arguments.Ok()) return None(info);
  const int duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return Napi::Number::New(info.Env(), uv_translate_sys_error(errno));
  if (core->thread() != nullptr) {
    core->thread()->Adopt(OwnedDescriptor(duplicate), pipe, token, limits);
  } else {
    core->Run([&](Reactor* reactor) { reactor->Adopt(OwnedDescriptor(duplicate), pipe, token, limits); });
  }
  return Napi::Number::New(info.Env(), 0);
}

// dial(core, host | null, port, path | null, …limits): slot, or a libuv error code
Napi::Value Dial(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const Target target = TargetAt(&arguments, 1);
  const WireLimits limits = LimitsAt(&arguments, 4);
  if (!arguments.Ok()) return None(info);
  int32_t slot = UV_ECANCELED;
  core->Run([&](Reactor* reactor) { slot = reactor->Dial(target, limits, &core->control()->generation); });
  return Napi::Number::New(info.Env(), slot);
}

// closeListener(core, id, keepPath)
Napi::Value CloseListener(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t id = arguments.Int(1);
  const bool keep_path = arguments.Flag(2);
  if (arguments.Ok()) core->Run([&](Reactor* reactor) { reactor->CloseListener(id, keep_path); });
  return None(info);
}

// listenerDescriptor(core, id): -1 when there is none
Napi::Value ListenerDescriptor(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t id = arguments.Int(1);
  if (!arguments.Ok()) return None(info);
  int descriptor = -1;
  core->Run([&](Reactor* reactor) {
    Listener* const listener = reactor->FindListener(id);
    if (listener == nullptr || uv_fileno(listener->uv(), &descriptor) != 0) descriptor = -1;
  });
  return Napi::Number::New(info.Env(), descriptor);
}

// listenerAddress(core, id): 'host:port' or path, '' when unknown
Napi::Value ListenerAddress(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t id = arguments.Int(1);
  if (!arguments.Ok()) return None(info);
  std::string address;
  core->Run([&](Reactor* reactor) { address = reactor->ListenerAddress(id); });
  return Napi::String::New(info.Env(), address);
}

// end(core, slot, generation)
Napi::Value End(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  if (arguments.Ok()) core->Post([=](Reactor* reactor) { reactor->End(slot, generation); });
  return None(info);
}

// destroy(core, slot, generation, reason)
Napi::Value Destroy(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  const uint32_t reason = arguments.Size32(3);
  arguments.Expect(reason < std::size(kCloseReasonText), 3, "a close reason");
  if (!arguments.Ok()) return None(info);
  core->Post([=](Reactor* reactor) { reactor->Destroy(slot, generation, static_cast<CloseReason>(reason)); });
  return None(info);
}

// pauseReading(core, slot, generation)
Napi::Value PauseReading(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  if (arguments.Ok()) core->Post([=](Reactor* reactor) { reactor->PauseReading(slot, generation); });
  return None(info);
}

// resumeReading(core, slot, generation)
Napi::Value ResumeReading(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  if (arguments.Ok()) core->Post([=](Reactor* reactor) { reactor->ResumeReading(slot, generation); });
  return None(info);
}

// setSocketOption(core, slot, generation, option, value): 0 or a libuv error code, UV_EBADF when the connection is not
// open
Napi::Value SetOption(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  const uint32_t option = arguments.Size32(3), value = arguments.Size32(4);
  arguments.Expect(option < kSocketOptions, 3, "a socket option");
  if (!arguments.Ok()) return None(info);
  int error = UV_EBADF;
  core->Run([&](Reactor* reactor) {
    error = reactor->SetOption(slot, generation, static_cast<SocketOption>(option), value);
  });
  return Napi::Number::New(info.Env(), error);
}

// descriptor(core, slot, generation): -1 when there is none
Napi::Value Descriptor(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  if (!arguments.Ok()) return None(info);
  int descriptor = -1;
  core->Run([&](Reactor* reactor) { descriptor = reactor->Descriptor(slot, generation); });
  return Napi::Number::New(info.Env(), descriptor);
}

// socketOptions(descriptor): Int32Array of ReadSocketOptions, for tests
Napi::Value SocketFacts(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int32_t descriptor = arguments.Int(0);
  if (!arguments.Ok()) return None(info);
  Napi::Int32Array facts = Napi::Int32Array::New(info.Env(), kSocketFacts);
  if (!info.Env().IsExceptionPending()) ReadSocketOptions(descriptor, facts.Data());
  return facts;
}

// setFraming(core, slot, generation, framing, skip, webSocket): `webSocket` has bits of io/web_socket.h, or is 0
Napi::Value SetFraming(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t slot = arguments.Int(1), generation = arguments.Int(2);
  const Framing framing = FramingAt(&arguments, 3);
  const uint32_t skip = arguments.Size32(4), web_socket = arguments.Size32(5);
  arguments.Expect(web_socket < kWsFlags, 5, "bits of a WebSocket");
  arguments.Expect(framing != Framing::kMessage || web_socket != 0, 3, "messages of a WebSocket");
  if (!arguments.Ok()) return None(info);
  core->Post([=](Reactor* reactor) { reactor->SetFraming(slot, generation, framing, skip, web_socket); });
  return None(info);
}

// drain(core): sends the messages in the outbox now, because the outbox is full
Napi::Value Drain(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  if (arguments.Ok()) core->Drain();
  return None(info);
}

// drainWith(core, body): drains with `body`, which is too large for the outbox, as the body of the last message
Napi::Value DrainWith(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const Bytes body = arguments.Bytes(1);
  arguments.Expect(body.size <= kMaxBody, 1, "below 2 GiB");
  if (arguments.Ok()) core->DrainWith(body);
  return None(info);
}

// takeLarge(core, index): ArrayBuffer, once and during a batch; undefined otherwise
Napi::Value TakeLarge(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const int32_t index = arguments.Int(1);
  if (!arguments.Ok()) return None(info);
  const HeapMessage large = core->TakeLarge(index);
  if (large.data == nullptr) return None(info);
  // The message is copied, because some environments forbid external memory; one copy takes little time beside
  // decoding.
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(info.Env(), large.size);
  if (!info.Env().IsExceptionPending()) std::memcpy(copy.Data(), large.data, large.size);
  std::free(large.data);
  return copy;
}

// intern(core, id, name): an id that is not the next is ignored
Napi::Value Intern(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const uint32_t id = arguments.Size32(1);
  const Bytes name = arguments.Bytes(2);
  arguments.Expect(name.size <= kMaxMethod, 2, "at most 255 bytes");
  if (!arguments.Ok()) return None(info);
  core->Post([id, text = std::string(reinterpret_cast<const char*>(name.data), name.size)](Reactor* reactor) {
    reactor->names().Add(id, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  });
  return None(info);
}

// busyPoll(core, microseconds)
Napi::Value BusyPoll(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const uint32_t microseconds = arguments.Size32(1);
  if (arguments.Ok()) core->BusyPoll(microseconds);
  return None(info);
}

// keepAlive(core, on): whether a core with its own thread keeps the process alive
Napi::Value KeepAlive(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const bool on = arguments.Flag(1);
  if (arguments.Ok()) core->KeepAlive(on);
  return None(info);
}

// Node-API makes no promise about libuv: a binary with other sizes of handles than the running libuv must not call it.
bool LibuvFits() {
  return uv_loop_size() == sizeof(uv_loop_t) && uv_handle_size(UV_TCP) == sizeof(uv_tcp_t) &&
         uv_handle_size(UV_NAMED_PIPE) == sizeof(uv_pipe_t) && uv_handle_size(UV_PREPARE) == sizeof(uv_prepare_t) &&
         uv_handle_size(UV_CHECK) == sizeof(uv_check_t) && uv_handle_size(UV_TIMER) == sizeof(uv_timer_t) &&
         uv_handle_size(UV_IDLE) == sizeof(uv_idle_t) && uv_handle_size(UV_ASYNC) == sizeof(uv_async_t) &&
         uv_handle_size(UV_POLL) == sizeof(uv_poll_t) && uv_req_size(UV_WRITE) == sizeof(uv_write_t) &&
         uv_req_size(UV_CONNECT) == sizeof(uv_connect_t) && uv_req_size(UV_SHUTDOWN) == sizeof(uv_shutdown_t);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (!LibuvFits()) {
    Napi::Error::New(env, "built for another libuv than the one running").ThrowAsJavaScriptException();
    return exports;
  }
  Environment* const environment = new Environment(env);
  Napi::Object layout = Layout(env);
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&), const char* arguments) {
    exports[name] = Napi::Function::New(env, function, name, environment);
    layout[std::string(name) + "()"] = arguments;
  };
  add("start", Start, "ownThread, external, onBatch");
  add("listen", Listen, "core, host, port, path, backlog, reusePort, token, adopters, descriptor, ...limits");
  add("adopt", Adopt, "core, descriptor, pipe, token, ...limits");
  add("dial", Dial, "core, host, port, path, ...limits");
  add("closeListener", CloseListener, "core, id, keepPath");
  add("listenerDescriptor", ListenerDescriptor, "core, id");
  add("listenKcp", ListenKcp, "core, host, port, reusePort, token, settings, ...limits");
  add("dialKcp", DialKcp, "core, host, port, settings, ...limits");
  add("listenerAddress", ListenerAddress, "core, id");
  add("end", End, "core, slot, generation");
  add("destroy", Destroy, "core, slot, generation, reason");
  add("pauseReading", PauseReading, "core, slot, generation");
  add("resumeReading", ResumeReading, "core, slot, generation");
  add("setFraming", SetFraming, "core, slot, generation, framing, skip, webSocket");
  add("setSocketOption", SetOption, "core, slot, generation, option, value");
  add("descriptor", Descriptor, "core, slot, generation");
  add("socketOptions", SocketFacts, "descriptor");
  add("drain", Drain, "core");
  add("drainWith", DrainWith, "core, body");
  add("takeLarge", TakeLarge, "core, index");
  add("intern", Intern, "core, id, name");
  add("busyPoll", BusyPoll, "core, microseconds");
  add("keepAlive", KeepAlive, "core, on");
  add("tlsSupport", TlsSupport, "");
  add("tlsContext", TlsContextOf, "external, server, requestCert, rejectUnauthorized, asks, protocols, ticketKeys");
  add("tlsIdentity", TlsIdentityOf, "external");
  add("tlsBegin", TlsBegin, "core, slot, generation, context, servername, key");
  add("tlsAnswer", TlsAnswer, "core, slot, generation, refuse, identity, protocol");
  add("tlsErrorText", TlsErrorText, "code");
  add("lockFile", LockFile, "descriptor");
  add("notifySocket", NotifySocket, "path, text");
  add("peerCredentials", PeerCredentials, "descriptor");
  add("closeOnExec", CloseOnExec, "descriptor, on");
  add("duplicateTo", DuplicateTo, "from, to");
  add("listeningAddress", ListeningAddress, "descriptor");
  add("reap", Reap, "pid");
  add("listenDescriptor", ListenDescriptor, "descriptor, backlog");
  add("kcpRun", KcpRun, "settings, conv, script");
  add("unpack", Unpack, "bytes, maxMessage, maxFilters");
  add("pack", Pack, "seq, type, method, status, meta, codec, body");
  layout["limits"] = kLimitNames;
  exports["layout"] = layout;
  return exports;
}

}  // namespace
}  // namespace dmicro

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) { return dmicro::Init(env, exports); }
NODE_API_MODULE(dmicro, InitAddon)
