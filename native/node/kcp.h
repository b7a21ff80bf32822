#pragma once

#include <napi.h>

namespace dmicro {

// The functions about KCP that JavaScript can call, as those of addon.cc.

Napi::Value ListenKcp(const Napi::CallbackInfo& info);
Napi::Value DialKcp(const Napi::CallbackInfo& info);
Napi::Value KcpRun(const Napi::CallbackInfo& info);

}  // namespace dmicro
