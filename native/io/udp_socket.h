#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "io/owned_descriptor.h"
#include "kcp/kcp.h"

namespace dmicro {

// Address of a datagram's other end. `Key` has what distinguishes it, without padding.
struct UdpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  Bytes Key() const;
};

// Opens a socket for datagrams that does not block: bound to `address`, or connected to it. Returns 0 or a libuv error
// code.
int OpenUdpListener(const UdpAddress& address, bool reuse_port, OwnedDescriptor* socket);
int OpenUdpConnection(const UdpAddress& address, OwnedDescriptor* socket);

// Memory for the datagrams of one reading, shared by all sockets of a reactor.
class UdpInbox {
 public:
  static constexpr size_t kDatagrams = 64;
  static constexpr size_t kSize = 1536;  // of one, at most; longer ones are cut, and dropped then

  UdpInbox();
  // Receives what is there, up to kDatagrams. Returns their number, or a libuv error code.
  int Receive(int socket);
  Bytes At(size_t i) const;
  const UdpAddress& From(size_t i) const { return from_[i]; }

 private:
  std::vector<uint8_t> bytes_;
  std::array<size_t, kDatagrams> sizes_{};
  std::array<UdpAddress, kDatagrams> from_;
};

// Datagrams that are sent together: one system call for all of one socket.
class UdpOutbox final : public KcpOutput {
 public:
  static constexpr size_t kDatagrams = 128;

  UdpOutbox() : bytes_(kDatagrams * kSize) {}
  // Sets where the next datagrams go: from `socket` to `address`, or to where it is connected when that is null. It is
  // copied.
  void Aim(int socket, const UdpAddress* address);
  uint8_t* Begin(size_t most) override;
  void Commit(size_t size) override;
  bool Empty() const { return count_ == 0; }
  // Sends all. What the system has no room for is lost, as on the way.
  void Send();
  // Connected sockets of which the system said since the last call that nobody listens at the other end.
  std::vector<int> TakeRefused() { return std::exchange(refused_, {}); }

 private:
  static constexpr size_t kSize = 1536;

  struct Piece {
    uint32_t start, size, to;
  };
  int socket_ = -1;
  bool connected_ = true;
  std::vector<uint8_t> bytes_;
  std::array<Piece, kDatagrams> pieces_{};
  size_t count_ = 0;
  size_t used_ = 0;
  std::vector<UdpAddress> to_;
  std::vector<int> refused_;
  bool segments_ = true;  // the system cuts messages into datagrams
};

}  // namespace dmicro
