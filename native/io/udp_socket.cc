#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // recvmmsg
#endif
#include "io/udp_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>

namespace dmicro {
namespace {

// Bytes of buffer asked for each socket; the system gives less, if its limit is lower.
constexpr int kSocketBuffer = 4 * 1024 * 1024;
// Bytes of datagrams that one call sends, which the system cuts (UDP_SEGMENT).
#ifdef __linux__
constexpr int kUdpSegment = 103;
constexpr size_t kMaxSegments = 40, kMaxSegmented = 60'000;
#endif

int Open(const UdpAddress& address, OwnedDescriptor* socket) {
  *socket = OwnedDescriptor(::socket(address.storage.ss_family, SOCK_DGRAM, 0));
  if (socket->number() < 0) return uv_translate_sys_error(errno);
  fcntl(socket->number(), F_SETFD, FD_CLOEXEC);
  fcntl(socket->number(), F_SETFL, O_NONBLOCK);
  setsockopt(socket->number(), SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
  setsockopt(socket->number(), SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof kSocketBuffer);
#ifdef SO_RCVBUFFORCE
  // Without a limit, where this process may: what does not fit while a turn of the loop lasts is lost.
  setsockopt(socket->number(), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer);
#endif
  return 0;
}

const sockaddr* Raw(const UdpAddress& address) { return reinterpret_cast<const sockaddr*>(&address.storage); }

}  // namespace

Bytes UdpAddress::Key() const {
  // Family, port and address; of IPv6 also flow and scope.
  const size_t length = storage.ss_family == AF_INET ? 8 : std::min<size_t>(size, sizeof(sockaddr_in6));
  return {reinterpret_cast<const uint8_t*>(&storage), length};
}

int OpenUdpListener(const UdpAddress& address, bool reuse_port, OwnedDescriptor* socket) {
  const int error = Open(address, socket);
  if (error != 0) return error;
  const int on = 1;
  if (reuse_port && setsockopt(socket->number(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    return uv_translate_sys_error(errno);
  return bind(socket->number(), Raw(address), address.size) == 0 ? 0 : uv_translate_sys_error(errno);
}

int OpenUdpConnection(const UdpAddress& address, OwnedDescriptor* socket) {
  const int error = Open(address, socket);
  if (error != 0) return error;
  if (connect(socket->number(), Raw(address), address.size) != 0) return uv_translate_sys_error(errno);
  // Connected to itself: nobody else listens there.
  UdpAddress own;
  own.size = sizeof own.storage;
  getsockname(socket->number(), reinterpret_cast<sockaddr*>(&own.storage), &own.size);
  const Bytes a = own.Key(), b = address.Key();
  return a.size == b.size && std::equal(a.data, a.data + a.size, b.data) ? UV_ECONNREFUSED : 0;
}

UdpInbox::UdpInbox() : bytes_(kDatagrams * kSize) {}

Bytes UdpInbox::At(size_t i) const { return {bytes_.data() + i * kSize, sizes_[i]}; }

int UdpInbox::Receive(int socket) {
#ifdef __linux__
  std::array<mmsghdr, kDatagrams> messages;
  std::array<iovec, kDatagrams> parts;
  for (size_t i = 0; i < kDatagrams; i++) {
    parts[i] = {bytes_.data() + i * kSize, kSize};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &from_[i].storage;
    messages[i].msg_hdr.msg_namelen = sizeof from_[i].storage;
  }
  const int count = recvmmsg(socket, messages.data(), kDatagrams, MSG_DONTWAIT, nullptr);
  if (count < 0) return uv_translate_sys_error(errno);
  for (size_t i = 0; i < static_cast<size_t>(count); i++) {
    sizes_[i] = messages[i].msg_len;
    from_[i].size = messages[i].msg_hdr.msg_namelen;
  }
  return count;
#else
  int count = 0;
  for (size_t i = 0; i < kDatagrams; i++, count++) {
    from_[i].size = sizeof from_[i].storage;
    const ssize_t n = recvfrom(socket, bytes_.data() + i * kSize, kSize, MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from_[i].storage), &from_[i].size);
    if (n < 0) return count != 0 ? count : uv_translate_sys_error(errno);
    sizes_[i] = static_cast<size_t>(n);
  }
  return count;
#endif
}

void UdpOutbox::Aim(int socket, const UdpAddress* address) {
  if (socket != socket_ || (address == nullptr) != connected_) {
    Send();
    socket_ = socket;
    connected_ = address == nullptr;
  }
  if (address != nullptr) to_.push_back(*address);
}

uint8_t* UdpOutbox::Begin(size_t most) {
  DMICRO_ASSERT(most <= kSize);
  if (count_ == kDatagrams) {
    const bool aimed = !connected_;
    const UdpAddress last = aimed ? to_.back() : UdpAddress{};
    Send();
    if (aimed) to_.push_back(last);
  }
  return bytes_.data() + used_;
}

void UdpOutbox::Commit(size_t size) {
  pieces_[count_++] = {static_cast<uint32_t>(used_), static_cast<uint32_t>(size),
                       static_cast<uint32_t>(connected_ ? 0 : to_.size() - 1)};
  used_ += size;
}

void UdpOutbox::Send() {
  const size_t count = count_;
  count_ = used_ = 0;
  if (count == 0) {
    to_.clear();
    return;
  }
#ifdef __linux__
  // Neighbours of equal size to one peer are one message, which the system cuts.
  std::array<mmsghdr, kDatagrams> messages;
  std::array<iovec, kDatagrams> parts;
  struct alignas(cmsghdr) Control {
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
  };
  std::array<Control, kDatagrams> controls;
  unsigned made = 0;
  for (size_t i = 0; i < count;) {
    const Piece& first = pieces_[i];
    size_t end = i + 1, size = first.size;
    // The last one of a run may be shorter.
    while (segments_ && end < count && pieces_[end].to == first.to && pieces_[end].size <= first.size &&
           end - i < kMaxSegments && size + pieces_[end].size <= kMaxSegmented) {
      size += pieces_[end].size;
      if (pieces_[end++].size < first.size) break;
    }
    parts[made] = {bytes_.data() + first.start, size};
    msghdr& header = (messages[made] = {}).msg_hdr;
    header.msg_iov = &parts[made];
    header.msg_iovlen = 1;
    if (!connected_) {
      header.msg_name = &to_[first.to].storage;
      header.msg_namelen = to_[first.to].size;
    }
    if (end - i > 1) {
      header.msg_control = controls[made].bytes;
      header.msg_controllen = sizeof controls[made].bytes;
      cmsghdr* const control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = IPPROTO_UDP;
      control->cmsg_type = kUdpSegment;
      control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      const uint16_t segment = static_cast<uint16_t>(first.size);
      std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
    }
    made++;
    i = end;
  }
  for (unsigned done = 0; done < made;) {
    const int sent = sendmmsg(socket_, messages.data() + done, made - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      done += static_cast<unsigned>(sent);
    } else if (errno == EINTR) {
      continue;
    } else if (errno == ECONNREFUSED && connected_ && (refused_.empty() || refused_.back() != socket_)) {
      refused_.push_back(socket_);  // an earlier datagram was refused, this one was not sent
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      break;
    } else {
      // A device that cannot cut gives EIO or EINVAL, one with a small MTU EMSGSIZE: from now on each datagram is a
      // message.
      if (messages[done].msg_hdr.msg_control != nullptr && (errno == EIO || errno == EINVAL || errno == EMSGSIZE))
        segments_ = false;
      done++;
    }
  }
#else
  for (size_t i = 0; i < count; i++) {
    const UdpAddress* const to = connected_ ? nullptr : &to_[pieces_[i].to];
    sendto(socket_, bytes_.data() + pieces_[i].start, pieces_[i].size, MSG_DONTWAIT, to == nullptr ? nullptr : Raw(*to),
           to == nullptr ? 0 : to->size);
  }
#endif
  to_.clear();
}

}  // namespace dmicro
