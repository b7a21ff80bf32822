#include "io/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace dmicro {
namespace {

#ifdef __APPLE__
constexpr int kIdle = TCP_KEEPALIVE;
#else
constexpr int kIdle = TCP_KEEPIDLE;
#endif

}  // namespace

int SetSocketOption(uv_handle_t* handle, SocketOption option, uint32_t value) {
  uv_tcp_t* const tcp = handle->type == UV_TCP ? reinterpret_cast<uv_tcp_t*>(handle) : nullptr;
  int size = static_cast<int>(value);
  switch (option) {
    case SocketOption::kNoDelay:
      return tcp == nullptr ? 0 : uv_tcp_nodelay(tcp, value != 0);
    case SocketOption::kKeepAlive:
      return tcp == nullptr ? 0 : uv_tcp_keepalive(tcp, value != 0, value);
    case SocketOption::kReceiveBuffer:
      return size <= 0 ? UV_EINVAL : uv_recv_buffer_size(handle, &size);
    case SocketOption::kSendBuffer:
      return size <= 0 ? UV_EINVAL : uv_send_buffer_size(handle, &size);
  }
  return UV_EINVAL;
}

void SizeBuffers(uv_handle_t* handle, const SocketOptions& options) {
  if (options.receive_buffer != 0) SetSocketOption(handle, SocketOption::kReceiveBuffer, options.receive_buffer);
  if (options.send_buffer != 0) SetSocketOption(handle, SocketOption::kSendBuffer, options.send_buffer);
}

void ApplySocketOptions(uv_handle_t* handle, const SocketOptions& options) {
  if (options.no_delay) SetSocketOption(handle, SocketOption::kNoDelay, 1);
  if (options.keep_alive != 0) SetSocketOption(handle, SocketOption::kKeepAlive, options.keep_alive);
  SizeBuffers(handle, options);
}

void ResetOnClose(uv_handle_t* handle) {
  uv_os_fd_t descriptor;
  if (uv_fileno(handle, &descriptor) != 0) return;
  const linger at_once = {1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void ReadSocketOptions(int descriptor, int32_t facts[kSocketFacts]) {
  const int names[kSocketFacts][2] = {{IPPROTO_TCP, TCP_NODELAY},
                                      {SOL_SOCKET, SO_KEEPALIVE},
                                      {IPPROTO_TCP, kIdle},
                                      {SOL_SOCKET, SO_RCVBUF},
                                      {SOL_SOCKET, SO_SNDBUF}};
  for (uint32_t i = 0; i < kSocketFacts; i++) {
    int value = 0;
    socklen_t size = sizeof value;
    facts[i] = getsockopt(descriptor, names[i][0], names[i][1], &value, &size) == 0 ? value : -1;
  }
}

}  // namespace dmicro
