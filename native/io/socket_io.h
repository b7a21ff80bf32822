#pragma once

#include <uv.h>

namespace dmicro {

// Reads what a socket has, without waiting, into a buffer of at least one byte. Returns the number of bytes, or a libuv
// error code, which the system tells only once, or 0 when there are none: libuv then finds out whether that is the end.
ssize_t TryRead(const uv_handle_t* handle, const uv_buf_t& buffer);

// Writes to a socket without waiting. Returns the number of bytes that it took, or a libuv error code. Requires that
// libuv has no write of its own under way there.
int TryWrite(uv_stream_t* stream, const uv_buf_t* buffers, unsigned count);

}  // namespace dmicro
