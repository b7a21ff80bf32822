#include "common/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fail.h"

namespace dmicro_bench {
namespace {

// Hundreds of connections arrive at once; the kernel cuts this to net.core.somaxconn.
constexpr int kBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address TcpAddress(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) Fail("cannot resolve %s: %s", host.c_str(), gai_strerror(error));
  Address address;
  memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

Address UnixAddress(const std::string& path) {
  sockaddr_un unix_address{};
  unix_address.sun_family = AF_UNIX;
  if (path.size() >= sizeof unix_address.sun_path) Fail("socket path too long: %s", path.c_str());
  memcpy(unix_address.sun_path, path.c_str(), path.size() + 1);
  Address address;
  memcpy(&address.storage, &unix_address, sizeof unix_address);
  address.size = sizeof unix_address;
  return address;
}

int OpenSocket(const Address& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("cannot open a socket: %s", strerror(errno));
  return fd;
}

int Connect(Address address, const std::string& name) {
  const int fd = OpenSocket(address);
  if (connect(fd, address.get(), address.size) != 0) {
    Fail("cannot connect to %s: %s", name.c_str(), strerror(errno));
  }
  SetNoDelay(fd);
  return fd;
}

void BindAndListen(int fd, Address address, const std::string& name) {
  if (bind(fd, address.get(), address.size) != 0 || listen(fd, kBacklog) != 0) {
    Fail("cannot listen on %s: %s", name.c_str(), strerror(errno));
  }
}

}  // namespace

int ConnectTcp(const std::string& host, int port) {
  return Connect(TcpAddress(host, port), host + ":" + std::to_string(port));
}

int ConnectUnix(const std::string& path) { return Connect(UnixAddress(path), path); }

int ListenTcp(const std::string& host, int* port) {
  const Address address = TcpAddress(host, *port);
  const int fd = OpenSocket(address);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  BindAndListen(fd, address, host + ":" + std::to_string(*port));
  Address bound;
  bound.size = sizeof bound.storage;
  if (getsockname(fd, bound.get(), &bound.size) != 0) Fail("getsockname: %s", strerror(errno));
  // sin_port and sin6_port have the same place.
  *port = ntohs(reinterpret_cast<sockaddr_in*>(bound.get())->sin_port);
  return fd;
}

int ListenUnix(const std::string& path) {
  struct stat existing;
  if (stat(path.c_str(), &existing) == 0 && S_ISSOCK(existing.st_mode)) unlink(path.c_str());
  const Address address = UnixAddress(path);
  const int fd = OpenSocket(address);
  BindAndListen(fd, address, path);
  return fd;
}

void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace dmicro_bench
