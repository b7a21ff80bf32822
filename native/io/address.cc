#include "io/address.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace dmicro {

int ToSockaddr(const char* host, int port, sockaddr_storage* address) {
  if (uv_ip4_addr(host, port, reinterpret_cast<sockaddr_in*>(address)) == 0) return 0;
  return uv_ip6_addr(host, port, reinterpret_cast<sockaddr_in6*>(address));
}

std::string FormatAddress(const sockaddr_storage& storage) {
  char text[64];
  // A listener on [::] sees IPv4 peers as ::ffff:a.b.c.d; their addresses are written in IPv4 form, as in Go.
  const auto* const v6_address = reinterpret_cast<const sockaddr_in6*>(&storage);
  if (storage.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6_address->sin6_addr)) {
    if (uv_inet_ntop(AF_INET, v6_address->sin6_addr.s6_addr + 12, text, sizeof text) != 0) return {};
    return std::string(text) + ':' + std::to_string(ntohs(v6_address->sin6_port));
  }
  if (uv_ip_name(reinterpret_cast<const sockaddr*>(&storage), text, sizeof text) != 0) return {};
  const bool v6 = storage.ss_family == AF_INET6;
  const uint16_t port = v6 ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                           : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port;
  const std::string host = v6 ? '[' + std::string(text) + ']' : std::string(text);
  return host + ':' + std::to_string(ntohs(port));
}

namespace {

template <typename TcpName, typename PipeName>
std::string AddressOf(const uv_handle_t* handle, TcpName tcp_name, PipeName pipe_name) {
  if (handle->type == UV_TCP) {
    sockaddr_storage storage;
    int size = sizeof storage;
    const int error = tcp_name(reinterpret_cast<const uv_tcp_t*>(handle), reinterpret_cast<sockaddr*>(&storage), &size);
    return error == 0 ? FormatAddress(storage) : std::string();
  }
  char path[128];
  size_t size = sizeof path;
  if (pipe_name(reinterpret_cast<const uv_pipe_t*>(handle), path, &size) != 0) return {};
  return size == 0 ? "@" : std::string(path, size);
}

}  // namespace

std::string LocalAddress(const uv_handle_t* handle) {
  return AddressOf(handle, uv_tcp_getsockname, uv_pipe_getsockname);
}

std::string RemoteAddress(const uv_handle_t* handle) {
  return AddressOf(handle, uv_tcp_getpeername, uv_pipe_getpeername);
}

int ListeningAddress(int descriptor, std::string* address, bool* pipe) {
  int type = 0, listening = 0;
  sockaddr_storage storage{};
  socklen_t type_size = sizeof type, listening_size = sizeof listening, size = sizeof storage;
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 ||
      getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return uv_translate_sys_error(errno);
  }
  if (type != SOCK_STREAM || listening == 0) return UV_EINVAL;
  *pipe = storage.ss_family == AF_UNIX;
  if (storage.ss_family == AF_INET || storage.ss_family == AF_INET6) {
    *address = FormatAddress(storage);
    return 0;
  }
  if (!*pipe) return UV_EINVAL;
  const char* const path = reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  const size_t room = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
  const size_t length = strnlen(path, room);
  *address = length == 0 ? "@" : std::string(path, length);
  return 0;
}

}  // namespace dmicro
