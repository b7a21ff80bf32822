#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/kcp_io.h"
#include "io/reactor.h"

// Sockets for datagrams and sessions over them: opening and closing.

namespace dmicro {
namespace {

// Sessions of one address and port.
constexpr size_t kMaxPerPeer = 16;

int ToUdpAddress(const Target& target, UdpAddress* address) {
  const int error = ToSockaddr(target.host.c_str(), target.port, &address->storage);
  address->size = address->storage.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return error;
}

std::string BoundAddress(const KcpPort* port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int error = getsockname(port->socket.number(), reinterpret_cast<sockaddr*>(&storage), &size);
  return error == 0 ? FormatAddress(storage) : std::string();
}

}  // namespace

int Reactor::BeginKcp() {
  if (kcp_ != nullptr) return 0;
  auto made = std::make_unique<KcpIo>(uv_now(loop_));
  // Without the system's random numbers nothing that is secret can be made.
  int error = uv_random(nullptr, nullptr, &made->key, sizeof made->key, 0, nullptr);
  if (error == 0) error = uv_timer_init(loop_, &made->timer);
  if (error != 0) return error;
  kcp_ = std::move(made);
  kcp_->timer.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&kcp_->timer));
  handles_++;
  return 0;
}

int Reactor::OpenPort(OwnedDescriptor socket, KcpPort** port) {
  const int descriptor = socket.number();
  auto made = std::make_unique<KcpPort>(this, std::move(socket), kcp_->key);
  int error = uv_poll_init(loop_, &made->poll, descriptor);
  if (error != 0) return error;
  handles_++;
  made->poll.data = made.get();
  *port = made.release();
  return uv_poll_start(&(*port)->poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
    KcpPort* const ready = static_cast<KcpPort*>(poll->data);
    ready->reactor->OnDatagrams(ready);
  });
}

int32_t Reactor::ListenKcp(const Target& target, const KcpSettings& settings, const ListenOptions& options) {
  DMICRO_ASSERT(thread_.Here() && !target.pipe);
  if (stopped_) return UV_ECANCELED;
  UdpAddress address;
  OwnedDescriptor socket;
  int error = BeginKcp();
  if (error == 0) error = ToUdpAddress(target, &address);
  if (error == 0) error = OpenUdpListener(address, options.reuse_port, &socket);
  if (error != 0) return error;
  Listener* const listener = new Listener{};
  error = InitHandle(&listener->handle, false);
  if (error != 0) {
    delete listener;
    return error;
  }
  listener->uv()->data = listener;
  listener->reactor = this;
  listener->id = static_cast<int32_t>(listeners_.size());
  listeners_.push_back(listener);
  error = OpenPort(std::move(socket), &listener->port);
  if (listener->port != nullptr) {
    listener->port->limits = options.limits;
    listener->port->settings = settings;
    listener->port->token = options.token;
    listener->port->accepting = true;
    listener->port->door = std::make_unique<KcpDoor>(kcp_->key);
  }
  if (error == 0) return listener->id;
  CloseListener(listener->id);
  return error;
}

std::string Reactor::ListenerAddress(int32_t id) const {
  const Listener* const listener = FindListener(id);
  if (listener == nullptr) return {};
  if (listener->port != nullptr) return BoundAddress(listener->port);
  return LocalAddress(reinterpret_cast<const uv_handle_t*>(&listener->handle));
}

// The socket stays open while it has sessions.
void Reactor::StopAccepting(KcpPort* port) {
  port->accepting = false;
  if (port->sessions == 0) ClosePort(port);
}

void Reactor::ClosePort(KcpPort* port) {
  if (port->closing) return;
  port->closing = true;
  kcp_->outbox.Send();
  auto& ports = kcp_->dialled_ports;
  ports.erase(std::remove(ports.begin(), ports.end(), port), ports.end());
  uv_close(reinterpret_cast<uv_handle_t*>(&port->poll), [](uv_handle_t* handle) {
    const std::unique_ptr<KcpPort> closed(static_cast<KcpPort*>(handle->data));
    closed->reactor->OnHandleClosed();
  });
  port->socket = OwnedDescriptor();
}

int32_t Reactor::DialKcp(const Target& target, const KcpSettings& settings, const WireLimits& limits,
                         int32_t* generation) {
  DMICRO_ASSERT(thread_.Here() && !target.pipe);
  if (stopped_) return UV_ECANCELED;
  UdpAddress address;
  OwnedDescriptor socket;
  int error = BeginKcp();
  if (error == 0) error = ToUdpAddress(target, &address);
  if (error == 0) error = OpenUdpConnection(address, &socket);
  if (error != 0) return error;
  KcpPort* port = nullptr;
  error = OpenPort(std::move(socket), &port);
  Connection* const connection = error == 0 ? new Connection(this, limits) : nullptr;
  if (error == 0) error = InitHandle(&connection->handle, false);
  if (error != 0) {
    delete connection;
    if (port != nullptr) ClosePort(port);
    return error;
  }
  connection->uv()->data = connection;
  if (!Register(connection)) {
    ClosePort(port);
    return UV_EMFILE;
  }
  auto peer = std::make_unique<KcpPeer>(kcp_->Random32(), settings, KcpLink::Role{true, false}, kcp_->Random32(),
                                        uv_now(loop_), &kcp_->dirty);
  peer->address = address;
  peer->port = port;
  peer->connection = connection;
  port->dialled = connection->kcp = peer.get();
  port->sessions = 1;
  kcp_->dialled_ports.push_back(port);
  peer->Queue();
  connection->layers = std::make_unique<LayerStack>(&layer_scratch_, true);
  connection->layers->Push(std::move(peer));
  *generation = connection->generation;
  return connection->slot;
}

KcpPeer* Reactor::AcceptPeer(KcpPort* port, const UdpAddress& from, uint32_t conv, bool marked) {
  const UdpKey key(from);
  const auto known = port->peers.find(key);
  size_t count = 0;
  for (KcpPeer* other = known == port->peers.end() ? nullptr : known->second; other != nullptr;
       other = other->same_address)
    count++;
  if (count >= kMaxPerPeer) return nullptr;
  Connection* const connection = new Connection(this, port->limits);
  if (InitHandle(&connection->handle, false) != 0) {
    delete connection;
    return nullptr;
  }
  connection->uv()->data = connection;
  connection->token = port->token;
  if (!Register(connection)) return nullptr;
  auto peer = std::make_unique<KcpPeer>(conv, port->settings, KcpLink::Role{false, marked}, kcp_->Random32(),
                                        uv_now(loop_), &kcp_->dirty);
  peer->address = from;
  peer->port = port;
  peer->connection = connection;
  KcpPeer*& first = port->peers[key];
  peer->same_address = std::exchange(first, peer.get());
  port->sessions++;
  KcpPeer* const accepted = connection->kcp = peer.get();
  connection->layers = std::make_unique<LayerStack>(&layer_scratch_, true);
  connection->layers->Push(std::move(peer));
  return accepted;
}

int Reactor::SetKcpOption(Connection* connection, SocketOption option, uint32_t value) {
  if (option == SocketOption::kNoDelay || option == SocketOption::kKeepAlive) return 0;  // KCP has its own
  KcpPort* const port = connection->kcp->port;
  if (port == nullptr) return UV_EBADF;
  if (port->dialled == nullptr) return UV_ENOTSUP;  // the socket is that of all sessions
  int size = static_cast<int>(value);
  if (size <= 0) return UV_EINVAL;
  const int name = option == SocketOption::kReceiveBuffer ? SO_RCVBUF : SO_SNDBUF;
  return setsockopt(port->socket.number(), SOL_SOCKET, name, &size, sizeof size) == 0 ? 0
                                                                                      : uv_translate_sys_error(errno);
}

std::string Reactor::LocalKcpAddress(const Connection* connection) { return BoundAddress(connection->kcp->port); }

std::string Reactor::RemoteKcpAddress(const Connection* connection) {
  return FormatAddress(connection->kcp->address.storage);
}

}  // namespace dmicro
