#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>

#include "node/arguments.h"
#include "node/os.h"

namespace dmicro {

// lockFile(descriptor): 0, UV_EAGAIN when another open file has the lock, or another libuv error code. The lock is
// exclusive, and belongs to the open file: it ends when its last descriptor closes.
Napi::Value LockFile(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int descriptor = arguments.Int(0);
  if (!arguments.Ok()) return info.Env().Undefined();
  const int result = flock(descriptor, LOCK_EX | LOCK_NB);
  return Napi::Number::New(info.Env(), result == 0 ? 0 : uv_translate_sys_error(errno));
}

// closeOnExec(descriptor, on): 0, or a libuv error code. With false the programs that this process starts inherit it.
Napi::Value CloseOnExec(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int descriptor = arguments.Int(0);
  const bool on = arguments.Flag(1);
  if (!arguments.Ok()) return info.Env().Undefined();
  const int flags = fcntl(descriptor, F_GETFD);
  const int result = flags < 0 ? -1 : fcntl(descriptor, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
  return Napi::Number::New(info.Env(), result == 0 ? 0 : uv_translate_sys_error(errno));
}

// duplicateTo(from, to): 0, or a libuv error code. `to` is closed and becomes another name of the open file `from`.
Napi::Value DuplicateTo(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int from = arguments.Int(0);
  const int to = arguments.Int(1);
  if (!arguments.Ok()) return info.Env().Undefined();
  int result;
  do {
    result = dup2(from, to);
  } while (result < 0 && errno == EINTR);
  return Napi::Number::New(info.Env(), result >= 0 ? 0 : uv_translate_sys_error(errno));
}

}  // namespace dmicro
