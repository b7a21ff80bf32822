#pragma once

#include <uv.h>

namespace dmicro {

// Writes to a socket without waiting. Returns the number of bytes that it took, or a libuv error code. Requires that
// libuv has no write of its own under way there.
int TryWrite(uv_stream_t* stream, const uv_buf_t* buffers, unsigned count);

}  // namespace dmicro
