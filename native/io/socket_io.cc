#include "io/socket_io.h"

#include <sys/socket.h>

#include <cerrno>

namespace dmicro {

// libuv's `read` and `write` are made for files first: these take less CPU.

ssize_t TryRead(const uv_handle_t* handle, const uv_buf_t& buffer) {
  uv_os_fd_t descriptor;
  if (uv_fileno(handle, &descriptor) != 0) return 0;
  const ssize_t n = recv(descriptor, buffer.base, buffer.len, MSG_DONTWAIT);
  if (n >= 0) return n;
  return errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
}

#ifdef __linux__

int TryWrite(uv_stream_t* stream, const uv_buf_t* buffers, unsigned count) {
  uv_os_fd_t descriptor;
  const int error = uv_fileno(reinterpret_cast<uv_handle_t*>(stream), &descriptor);
  if (error != 0) return error;
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
  ssize_t sent;
  do {
    if (count == 1) {
      sent = send(descriptor, buffers->base, buffers->len, kFlags);
    } else {
      msghdr message{};
      // libuv lays its buffers out as the system does.
      message.msg_iov = reinterpret_cast<iovec*>(const_cast<uv_buf_t*>(buffers));
      message.msg_iovlen = count;
      sent = sendmsg(descriptor, &message, kFlags);
    }
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<int>(sent);
  return errno == EWOULDBLOCK || errno == ENOBUFS ? UV_EAGAIN : -errno;
}

#else

int TryWrite(uv_stream_t* stream, const uv_buf_t* buffers, unsigned count) {
  return uv_try_write(stream, buffers, count);
}

#endif

}  // namespace dmicro
