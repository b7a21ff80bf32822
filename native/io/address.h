#pragma once

#include <uv.h>

#include <string>

namespace dmicro {

// Of a connected or listening TCP or Unix socket: '127.0.0.1:80', '[::1]:80', a path, '@' for a socket without one,
// '' when the system has no answer (any more).
std::string LocalAddress(const uv_handle_t* handle);
std::string RemoteAddress(const uv_handle_t* handle);

}  // namespace dmicro
