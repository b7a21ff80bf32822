#pragma once

#include <uv.h>

#include <string>
#include <vector>

#include "io/connection.h"
#include "io/owned_descriptor.h"

namespace dmicro {

// Receiver of accepted sockets, which may live on another thread: Adopt may be called on any thread.
class Adopter {
 public:
  virtual void Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits) = 0;

 protected:
  ~Adopter() = default;
};

struct KcpPort;

// One listening socket. Owned by its reactor; deleted after uv_close has called back.
struct Listener {
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  uv_handle_t* uv() { return reinterpret_cast<uv_handle_t*>(&handle); }

  Connection::Handle handle;
  Reactor* reactor;
  WireLimits limits;
  int32_t id;
  int32_t token;                   // identifies the listener in kAccept, on whichever reactor the connection is opened
  std::vector<Adopter*> adopters;  // receive the connections in turn; empty: the reactor opens all connections itself
  size_t next_adopter;
  std::string path;  // of a Unix socket that was bound here; removed when the listener closes
  KcpPort* port = nullptr;  // of KCP: `handle` has no socket then
};

}  // namespace dmicro
