#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "io/address.h"
#include "io/owned_descriptor.h"
#include "node/arguments.h"
#include "node/os.h"

namespace dmicro {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
constexpr int kSendFlags = MSG_DONTWAIT;  // a datagram to nobody raises no signal
#endif

int SendTo(const std::string& path, const std::string& text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || (path[0] != '/' && path[0] != '@')) return UV_EINVAL;
  if (path.size() >= sizeof address.sun_path) return UV_ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = 0;  // an abstract name (unix(7))
  const OwnedDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  if (socket.number() < 0) return uv_translate_sys_error(errno);
  fcntl(socket.number(), F_SETFD, FD_CLOEXEC);
  // An abstract name is as long as the address says.
  const socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path[0] == '/'));
  const ssize_t sent =
      sendto(socket.number(), text.data(), text.size(), kSendFlags, reinterpret_cast<const sockaddr*>(&address), size);
  return sent < 0 ? uv_translate_sys_error(errno) : 0;
}

// Returns 0 or a libuv error code.
int ReadCredentials(int descriptor, double credentials[3]) {
#ifdef SO_PEERCRED
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return uv_translate_sys_error(errno);
  if (peer.pid == 0) return UV_ENOTCONN;  // a socket of another family, or without a peer
  credentials[0] = peer.pid;
  credentials[1] = peer.uid;
  credentials[2] = peer.gid;
#else
  uid_t user;
  gid_t group;
  if (getpeereid(descriptor, &user, &group) != 0) return uv_translate_sys_error(errno);
  credentials[0] = -1;
  credentials[1] = user;
  credentials[2] = group;
#endif
  return 0;
}

}  // namespace

// notifySocket(path, text): 0, or a libuv error code. Sends a datagram to a Unix socket; a name that begins with @ is
// abstract.
Napi::Value NotifySocket(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::string path, text;
  const bool complete = arguments.Text(0, &path) && arguments.Text(1, &text);
  arguments.Expect(complete, 0, "a path, followed by a text");
  if (!arguments.Ok()) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), SendTo(path, text));
}

// peerCredentials(descriptor): [pid, uid, gid] of the process that connected or listened, or a libuv error code. The
// pid is -1 where the system does not tell it.
Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int descriptor = arguments.Int(0);
  if (!arguments.Ok()) return info.Env().Undefined();
  double credentials[3];
  const int error = ReadCredentials(descriptor, credentials);
  if (error != 0) return Napi::Number::New(info.Env(), error);
  Napi::Array result = Napi::Array::New(info.Env(), 3);
  for (uint32_t i = 0; i < 3; i++) result.Set(i, Napi::Number::New(info.Env(), credentials[i]));
  return result;
}

// listeningAddress(descriptor): the URL of a listening stream socket, tcp://host:port or unix://path ('@' without one),
// or a libuv error code.
Napi::Value ListeningAddress(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int descriptor = arguments.Int(0);
  if (!arguments.Ok()) return info.Env().Undefined();
  std::string address;
  bool pipe = false;
  const int error = ListeningAddress(descriptor, &address, &pipe);
  if (error != 0) return Napi::Number::New(info.Env(), error);
  return Napi::String::New(info.Env(), (pipe ? "unix://" : "tcp://") + address);
}

// listenDescriptor(descriptor, backlog): 0, or a libuv error code. Unlike uv_listen it does not accept.
Napi::Value ListenDescriptor(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int descriptor = arguments.Int(0);
  const int backlog = arguments.Int(1);
  if (!arguments.Ok()) return info.Env().Undefined();
  const int result = listen(descriptor, backlog) == 0 ? 0 : uv_translate_sys_error(errno);
  return Napi::Number::New(info.Env(), result);
}

}  // namespace dmicro
