#include "node/kcp.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "kcp/script.h"
#include "node/core_arguments.h"

namespace dmicro {
namespace {

// Reads fecData, fecParity, noDelay, interval, resend, congestion, window, mtu, deadLink.
KcpSettings SettingsAt(Arguments* arguments, const Napi::CallbackInfo& info, size_t at) {
  KcpSettings settings;
  const bool numbers = info[at].IsTypedArray() && info[at].As<Napi::TypedArray>().TypedArrayType() == napi_uint32_array;
  if (!arguments->Expect(numbers && info[at].As<Napi::Uint32Array>().ElementLength() == 9, at, "nine numbers"))
    return settings;
  const uint32_t* const given = info[at].As<Napi::Uint32Array>().Data();
  settings = {given[0], given[1], given[2] != 0, given[3], given[4], given[5] != 0, given[6], given[7], given[8]};
  const bool fits = settings.fec_data <= 100 && settings.fec_parity <= 50 && settings.window != 0 &&
                    settings.window <= 4096 && settings.mtu >= 64 && settings.mtu <= 1472 &&
                    (settings.fec_data == 0) == (settings.fec_parity == 0);
  arguments->Expect(fits, at, "settings of KCP within their bounds");
  return settings;
}

Target HostAt(Arguments* arguments, size_t at) {
  std::string host;
  arguments->Expect(arguments->Text(at, &host), at, "a host");
  return {false, host, arguments->Int(at + 1)};
}

}  // namespace

// listenKcp(core, host, port, reusePort, token, settings, …limits): id, or a libuv error code
Napi::Value ListenKcp(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const Target target = HostAt(&arguments, 1);
  Reactor::ListenOptions options{};
  options.reuse_port = arguments.Flag(3);
  options.token = arguments.Int(4);
  const KcpSettings settings = SettingsAt(&arguments, info, 5);
  options.limits = LimitsAt(&arguments, 6);
  if (!arguments.Ok()) return info.Env().Undefined();
  int32_t id = UV_ECANCELED;
  core->Run([&](Reactor* reactor) { id = reactor->ListenKcp(target, settings, options); });
  return Napi::Number::New(info.Env(), id);
}

// dialKcp(core, host, port, settings, …limits): slot, or a libuv error code
Napi::Value DialKcp(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Core* const core = CoreOf(&arguments, info);
  const Target target = HostAt(&arguments, 1);
  const KcpSettings settings = SettingsAt(&arguments, info, 3);
  const WireLimits limits = LimitsAt(&arguments, 4);
  if (!arguments.Ok()) return info.Env().Undefined();
  int32_t slot = UV_ECANCELED;
  core->Run([&](Reactor* reactor) { slot = reactor->DialKcp(target, settings, limits, &core->control()->generation); });
  return Napi::Number::New(info.Env(), slot);
}

// kcpRun(settings, conv, script): log, for tests (kcp/script.h)
Napi::Value KcpRun(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const KcpSettings settings = SettingsAt(&arguments, info, 0);
  const uint32_t conv = arguments.Size32(1);
  const Bytes script = arguments.Bytes(2);
  if (!arguments.Ok()) return info.Env().Undefined();
  const std::vector<uint8_t> log = RunKcpScript(settings, conv, script);
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(info.Env(), log.size());
  if (!info.Env().IsExceptionPending() && !log.empty()) std::memcpy(copy.Data(), log.data(), log.size());
  return copy;
}

}  // namespace dmicro
