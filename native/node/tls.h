#pragma once

#include <napi.h>

namespace dmicro {

// The functions about TLS that JavaScript can call, as those of addon.cc.

Napi::Value TlsSupport(const Napi::CallbackInfo& info);
Napi::Value TlsContextOf(const Napi::CallbackInfo& info);
Napi::Value TlsIdentityOf(const Napi::CallbackInfo& info);
Napi::Value TlsBegin(const Napi::CallbackInfo& info);
Napi::Value TlsAnswer(const Napi::CallbackInfo& info);
Napi::Value TlsErrorText(const Napi::CallbackInfo& info);

}  // namespace dmicro
