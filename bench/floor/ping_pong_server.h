#pragma once

#include <span>

#include "methods.h"

namespace dmicro_bench {

// Serves one client at a time without epoll: it sleeps in its read, or with `spin` polls the socket without ever
// sleeping. The lowest round trip the machine can give.
[[noreturn]] void ServePingPong(int listener, const Methods& methods, std::span<char> scratch, bool spin);

}  // namespace dmicro_bench
