#include "node/process.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <uv.h>

#include <cerrno>

#include "node/arguments.h"

namespace dmicro {

Napi::Value ReapProcess(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int pid = arguments.Int(0);
  // 0 and below mean any child, or one of a group: that would steal children of libuv.
  arguments.Expect(pid > 0, 0, "a pid");
  if (!arguments.Ok()) return info.Env().Undefined();
  int status = 0;
  const pid_t reaped = waitpid(pid, &status, WNOHANG);
  const int result = reaped < 0 ? uv_translate_sys_error(errno) : (reaped == pid ? 1 : 0);
  return Napi::Number::New(info.Env(), result);
}

Napi::Value ListenDescriptor(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int descriptor = arguments.Int(0);
  const int backlog = arguments.Int(1);
  if (!arguments.Ok()) return info.Env().Undefined();
  const int result = listen(descriptor, backlog) == 0 ? 0 : uv_translate_sys_error(errno);
  return Napi::Number::New(info.Env(), result);
}

}  // namespace dmicro
