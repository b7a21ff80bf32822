#pragma once

#include <uv.h>

#include <vector>

#include "io/connection.h"
#include "io/owned_descriptor.h"

namespace dmicro {

// Who takes an accepted socket over, on whatever thread it lives.
class Adopter {
 public:
  virtual void Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits) = 0;

 protected:
  ~Adopter() = default;
};

// One listening socket. Owned by its reactor; freed in the callback of uv_close.
struct Listener {
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  uv_handle_t* uv() { return reinterpret_cast<uv_handle_t*>(&handle); }

  Connection::Handle handle;
  Reactor* reactor;
  WireLimits limits;
  int32_t id;
  int32_t token;                   // names it in kAccept, whichever reactor takes the connection
  std::vector<Adopter*> adopters;  // take the connections in turn; empty: the reactor itself takes all
  size_t next_adopter;
};

}  // namespace dmicro
