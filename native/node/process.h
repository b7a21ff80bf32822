#pragma once

#include <napi.h>

namespace dmicro {

// Functions about processes of the system, for src/dserver/supervisor.

// reapProcess(pid): 1 when this zombie child was reaped, 0 when it lives, or a libuv error code. Never waits.
Napi::Value ReapProcess(const Napi::CallbackInfo& info);

// listenDescriptor(descriptor, backlog): 0, or a libuv error code. Unlike uv_listen it does not accept.
Napi::Value ListenDescriptor(const Napi::CallbackInfo& info);

}  // namespace dmicro
