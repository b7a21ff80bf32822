#include <sys/types.h>
#include <sys/wait.h>
#include <uv.h>

#include <cerrno>

#include "node/arguments.h"
#include "node/os.h"

namespace dmicro {

// reap(pid): undefined while the child runs, [code, signal] once when it has ended, or a libuv error code (UV_ECHILD:
// no child of this process). Requires that the child is not one that libuv started: libuv would miss its end.
Napi::Value Reap(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int pid = arguments.Int(0);
  arguments.Expect(pid > 0, 0, "the number of one process");
  if (!arguments.Ok()) return info.Env().Undefined();
  int status = 0;
  const pid_t ended = waitpid(pid, &status, WNOHANG);
  if (ended < 0) return Napi::Number::New(info.Env(), uv_translate_sys_error(errno));
  if (ended == 0) return info.Env().Undefined();
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, Napi::Number::New(info.Env(), WIFEXITED(status) ? WEXITSTATUS(status) : 0));
  result.Set(1u, Napi::Number::New(info.Env(), WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  return result;
}

}  // namespace dmicro
