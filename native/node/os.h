#pragma once

#include <napi.h>

// Functions of the operating system that Node.js lacks. Each is one call of the system that does not block, takes any
// arguments, and reports failure as a libuv error code.

namespace dmicro {

// os_files.cc
Napi::Value LockFile(const Napi::CallbackInfo& info);
Napi::Value CloseOnExec(const Napi::CallbackInfo& info);
Napi::Value DuplicateTo(const Napi::CallbackInfo& info);
// os_sockets.cc
Napi::Value NotifySocket(const Napi::CallbackInfo& info);
Napi::Value PeerCredentials(const Napi::CallbackInfo& info);
Napi::Value ListeningAddress(const Napi::CallbackInfo& info);
Napi::Value ListenDescriptor(const Napi::CallbackInfo& info);
// os_processes.cc
Napi::Value Reap(const Napi::CallbackInfo& info);

}  // namespace dmicro
