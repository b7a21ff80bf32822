#pragma once

#include <uv.h>

#include <string>

namespace dmicro {

// Where to listen or to connect: an IP literal and a port (names are resolved above), or the path of a Unix socket.
struct Target {
  bool pipe;
  std::string host;  // or the path
  int port;
};

// Of a connected or listening TCP or Unix socket: '127.0.0.1:80', '[::1]:80', a path, '@' for a socket without one,
// '' when the system has no answer (any more).
std::string LocalAddress(const uv_handle_t* handle);
std::string RemoteAddress(const uv_handle_t* handle);

}  // namespace dmicro
