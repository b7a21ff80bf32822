#include "io/try_write.h"

#ifdef __linux__
#include <sys/socket.h>

#include <cerrno>
#endif

namespace dmicro {

#ifdef __linux__

// As uv_try_write, but not by `write`, which is made for files first: an echo of one message by each of 256 connections
// takes 1 % less CPU.
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
