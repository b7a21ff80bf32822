#pragma once

#include <uv.h>

#include <string>

namespace dmicro {

// Address to listen on or to connect to: an IP literal and a port, or the path of a Unix socket. The upper layer
// resolves host names.
struct Target {
  bool pipe;
  std::string host;  // the path when `pipe` is true
  int port;
};

// Converts an IPv4 or IPv6 literal. Returns 0 or a libuv error code.
int ToSockaddr(const char* host, int port, sockaddr_storage* address);

// '127.0.0.1:80', '[::1]:80'.
std::string FormatAddress(const sockaddr_storage& storage);

// Address of a connected or listening TCP or Unix socket: '127.0.0.1:80', '[::1]:80', a path, '@' for a Unix socket
// without a path, '' when the system gives no address.
std::string LocalAddress(const uv_handle_t* handle);
std::string RemoteAddress(const uv_handle_t* handle);
// The same of a descriptor. Returns 0, or a libuv error code: UV_EINVAL when it is not a stream socket that listens.
int ListeningAddress(int descriptor, std::string* address, bool* pipe);

}  // namespace dmicro
