#pragma once

#include <string>

namespace dmicro_bench {

// A blocking stream socket, connected, without Nagle's delay. Both end the program on failure.
int ConnectTcp(const std::string& host, int port);
int ConnectUnix(const std::string& path);

// A listening socket. ListenTcp writes the port chosen when `*port` is 0; ListenUnix replaces a socket file
// left behind by an earlier run.
int ListenTcp(const std::string& host, int* port);
int ListenUnix(const std::string& path);

// Small frames must leave at once. No effect on a Unix socket.
void SetNoDelay(int fd);

}  // namespace dmicro_bench
