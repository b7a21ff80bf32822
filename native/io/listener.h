#pragma once

#include <uv.h>

#include "io/connection.h"

namespace dmicro {

// One listening socket. Owned by its reactor; freed in the callback of uv_close.
struct Listener {
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  uv_handle_t* uv() { return reinterpret_cast<uv_handle_t*>(&handle); }

  Connection::Handle handle;
  Reactor* reactor;
  WireLimits limits;
  int32_t id;
};

}  // namespace dmicro
