#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "io/reactor.h"

namespace dmicro {
namespace {

OwnedDescriptor OpenSocket(int family) {
#ifdef SOCK_CLOEXEC
  return OwnedDescriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
#else
  OwnedDescriptor socket(::socket(family, SOCK_STREAM, 0));
  if (socket.number() >= 0) fcntl(socket.number(), F_SETFD, FD_CLOEXEC);
  return socket;
#endif
}

// Opens a socket with SO_REUSEPORT, which must be set before binding: several sockets may share the port, and the
// system spreads the connections among them.
int OpenSharedPort(uv_tcp_t* tcp, int family) {
  OwnedDescriptor socket = OpenSocket(family);
  if (socket.number() < 0) return uv_translate_sys_error(errno);
  const int on = 1;
  if (setsockopt(socket.number(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return uv_translate_sys_error(errno);
  const int error = uv_tcp_open(tcp, socket.number());
  if (error == 0) socket.Release();
  return error;
}

struct ConnectRequest {
  uv_connect_t request;
  Connection* connection;
};

// Returns whether the socket is connected to itself: TCP does that when the port dialled on this machine is the one
// that the system chose for the socket (RFC 9293 §3.5, simultaneous open). A client that retries where nobody listens
// gets there eventually.
bool IsSelfConnected(const uv_handle_t* handle) {
  if (handle->type != UV_TCP) return false;
  const std::string local = LocalAddress(handle);
  return !local.empty() && local == RemoteAddress(handle);
}

}  // namespace

int Reactor::InitHandle(Connection::Handle* handle, bool pipe, unsigned family) {
  const int error = pipe ? uv_pipe_init(loop_, &handle->pipe, 0) : uv_tcp_init_ex(loop_, &handle->tcp, family);
  if (error == 0) handles_++;
  return error;
}

int32_t Reactor::Listen(const Target& target, ListenOptions options) {
  DMICRO_ASSERT(thread_.Here());
  if (stopped_) return UV_ECANCELED;
  Listener* const listener = new Listener{};
  int error = InitHandle(&listener->handle, target.pipe);
  if (error != 0) {
    delete listener;
    return error;
  }
  listener->uv()->data = listener;
  listener->reactor = this;
  listener->limits = options.limits;
  listener->token = options.token;
  listener->adopters = std::move(options.adopters);
  listener->id = static_cast<int32_t>(listeners_.size());
  listeners_.push_back(listener);
  error = options.socket.number() < 0 ? Bind(listener, target, options.reuse_port)
                                      : OpenListening(listener, target.pipe, std::move(options.socket));
  if (error == 0) {
    SizeBuffers(listener->uv(),
                listener->limits.socket);  // connections inherit the sizes (tcp(7))
    error = uv_listen(listener->stream(), options.backlog, [](uv_stream_t* stream, int status) {
      Listener* const ready = static_cast<Listener*>(stream->data);
      ready->reactor->OnConnection(ready, status);
    });
  }
  if (error == 0) return listener->id;
  CloseListener(listener->id);
  return error;
}

int Reactor::Bind(Listener* listener, const Target& target, bool reuse_port) {
  if (target.pipe) return BindPath(listener, target.host);
  sockaddr_storage address;
  int error = ToSockaddr(target.host.c_str(), target.port, &address);
  if (error != 0) return error;
  uv_tcp_t* const tcp = &listener->handle.tcp;
  if (reuse_port && (error = OpenSharedPort(tcp, address.ss_family)) != 0) return error;
  return uv_tcp_bind(tcp, reinterpret_cast<sockaddr*>(&address), 0);
}

// Binds without uv_pipe_bind, because libuv would remove the path on closing even when another process listens on the
// socket by then.
int Reactor::BindPath(Listener* listener, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) return UV_EINVAL;
  if (path.size() >= sizeof address.sun_path) return UV_ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  OwnedDescriptor socket = OpenSocket(AF_UNIX);
  if (socket.number() < 0) return uv_translate_sys_error(errno);
  if (bind(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return errno == ENOENT ? UV_EACCES : uv_translate_sys_error(errno);  // as libuv says it
  }
  listener->path = path;
  const int error = uv_pipe_open(&listener->handle.pipe, socket.number());
  if (error == 0) socket.Release();
  return error;
}

// Opens a socket that listens already. Any other descriptor is refused.
int Reactor::OpenListening(Listener* listener, bool pipe, OwnedDescriptor socket) {
  std::string address;
  bool is_pipe = false;
  int error = ListeningAddress(socket.number(), &address, &is_pipe);
  if (error != 0) return error;
  if (pipe != is_pipe) return UV_EINVAL;
  error = pipe ? uv_pipe_open(&listener->handle.pipe, socket.number())
               : uv_tcp_open(&listener->handle.tcp, socket.number());
  if (error == 0) socket.Release();
  return error;
}

Listener* Reactor::FindListener(int32_t id) const {
  return id < 0 || static_cast<size_t>(id) >= listeners_.size() ? nullptr : listeners_[static_cast<size_t>(id)];
}

void Reactor::CloseListener(int32_t id, bool keep_path) {
  DMICRO_ASSERT(thread_.Here());
  Listener* const listener = FindListener(id);
  if (listener == nullptr) return;
  listeners_[static_cast<size_t>(id)] = nullptr;
  if (!keep_path && !listener->path.empty()) unlink(listener->path.c_str());
  if (listener->port != nullptr) StopAccepting(listener->port);
  uv_close(listener->uv(), [](uv_handle_t* handle) {
    Listener* const closed = static_cast<Listener*>(handle->data);
    Reactor* const reactor = closed->reactor;
    reactor->Free(closed);
    reactor->OnHandleClosed();
  });
}

void Reactor::Free(Listener* listener) {
  if (delivering_) {
    closed_listeners_.push_back(listener);
  } else {
    delete listener;
  }
}

// A failed accept affects no other connection: libuv keeps listening, even when descriptors run out.
void Reactor::OnConnection(Listener* listener, int status) {
  if (status != 0) return;
  if (!listener->adopters.empty()) {
    ForwardAccepted(listener, listener->adopters[listener->next_adopter++ % listener->adopters.size()]);
    return;
  }
  Connection* const connection = new Connection(this, listener->limits);
  if (InitHandle(&connection->handle, listener->uv()->type == UV_NAMED_PIPE) != 0) {
    delete connection;
    return;
  }
  connection->uv()->data = connection;
  connection->token = listener->token;
  OnAccepted(connection, uv_accept(listener->stream(), connection->stream()));
}

namespace {

// An accepted socket that is being forwarded to another reactor.
struct AcceptedSocket {
  Connection::Handle handle;
  std::function<void()> on_closed;
};

}  // namespace

// Forwards the next accepted socket as a duplicate, because libuv cannot give a descriptor away.
void Reactor::ForwardAccepted(Listener* listener, Adopter* adopter) {
  const bool pipe = listener->uv()->type == UV_NAMED_PIPE;
  AcceptedSocket* const socket = new AcceptedSocket{{}, [this] { OnHandleClosed(); }};
  if (InitHandle(&socket->handle, pipe) != 0) {
    delete socket;
    return;
  }
  uv_handle_t* const handle = reinterpret_cast<uv_handle_t*>(&socket->handle);
  handle->data = socket;
  uv_os_fd_t descriptor;
  if (uv_accept(listener->stream(), reinterpret_cast<uv_stream_t*>(handle)) == 0 &&
      uv_fileno(handle, &descriptor) == 0) {
    OwnedDescriptor duplicate(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (duplicate.number() >= 0) adopter->Adopt(std::move(duplicate), pipe, listener->token, listener->limits);
  }
  uv_close(handle, [](uv_handle_t* closed) {
    const std::unique_ptr<AcceptedSocket> done(static_cast<AcceptedSocket*>(closed->data));
    done->on_closed();
  });
}

void Reactor::Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits) {
  DMICRO_ASSERT(thread_.Here());
  DMICRO_ASSERT(token >= 0);
  if (stopped_) return;
  Connection* const connection = new Connection(this, limits);
  if (InitHandle(&connection->handle, pipe) != 0) {
    delete connection;
    return;
  }
  connection->uv()->data = connection;
  connection->token = token;
  const int error = pipe ? uv_pipe_open(&connection->handle.pipe, socket.number())
                         : uv_tcp_open(&connection->handle.tcp, socket.number());
  if (error == 0) socket.Release();
  OnAccepted(connection, error);
}

// Registers an accepted connection and reports it, or reports its closing when `error` is not 0.
void Reactor::OnAccepted(Connection* connection, int error) {
  if (!Register(connection)) return;
  if (error != 0) {
    Close(connection, CloseReason::kIo, error);
  } else {
    ReportOpened(connection);
  }
}

// Adds the connection to the table. Without a free slot the connection is dropped and the result is false.
bool Reactor::Register(Connection* connection) {
  if (table_.Add(connection)) {
    NoteUnsent(connection);
    return true;
  }
  uv_close(connection->uv(), OnConnectionClosed);
  return false;
}

// Reports a connection that is ready to the upper layer, and starts to read it.
void Reactor::ReportOpened(Connection* connection) {
  DMICRO_ASSERT(connection->state == Connection::State::kConnecting && !connection->waiting());
  if (stopped_) return;
  if (inbox_.Full() || !RoomToRead()) {
    Deliver(false);
    if (connection->state == Connection::State::kClosing) return;  // the reader of that batch destroyed the connection
  }
  if (!RoomToRead()) {
    unreported_.Append(connection);
    return;
  }
  const bool accepted = connection->token >= 0;
  Record* const record = AddRecord(connection, accepted ? kAccept : kConnect);
  record->seq = connection->token;
  const auto place = [this](const std::string& address, int32_t* start, int32_t* end) {
    DMICRO_ASSERT(address.size() <= inbox_.Free().size);
    uint8_t* const to = inbox_.Free().data;
    std::memcpy(to, address.data(), address.size());
    *start = static_cast<int32_t>(to - rings_.inbox);
    *end = *start + static_cast<int32_t>(address.size());
    inbox_.Use(address.size());
  };
  const bool kcp = connection->kcp != nullptr;
  place(kcp ? LocalKcpAddress(connection) : LocalAddress(connection->uv()), &record->meta_start, &record->meta_end);
  place(kcp ? RemoteKcpAddress(connection) : RemoteAddress(connection->uv()), &record->name_start, &record->name_end);
  if (connection->framing == Framing::kPeek) {
    connection->partial_since = uv_now(loop_);
    Watch(connection);
  }
  StartReading(connection);
}

int32_t Reactor::Dial(const Target& target, const WireLimits& limits, int32_t* generation) {
  DMICRO_ASSERT(thread_.Here());
  if (stopped_) return UV_ECANCELED;
  sockaddr_storage address;
  if (!target.pipe) {
    const int error = ToSockaddr(target.host.c_str(), target.port, &address);
    if (error != 0) return error;
  }
  Connection* const connection = new Connection(this, limits);
  // Buffer sizes count from the handshake on when they are set before it (tcp(7)).
  const bool early = !target.pipe && limits.socket.Sized();
  const int error = InitHandle(&connection->handle, target.pipe, early ? address.ss_family : AF_UNSPEC);
  if (error != 0) {
    delete connection;
    return error;
  }
  connection->uv()->data = connection;
  if (early) SizeBuffers(connection->uv(), limits.socket);
  if (!Register(connection)) return UV_EMFILE;
  *generation = connection->generation;
  ConnectRequest* const request = new ConnectRequest{{}, connection};
  const auto connected = [](uv_connect_t* base, int status) {
    ConnectRequest* const done = reinterpret_cast<ConnectRequest*>(base);
    Connection* const dialled = done->connection;
    delete done;
    dialled->reactor->OnConnected(dialled, status);
  };
  int failed = 0;
  if (target.pipe) {
    uv_pipe_connect(&request->request, &connection->handle.pipe, target.host.c_str(), connected);
  } else {
    failed =
        uv_tcp_connect(&request->request, &connection->handle.tcp, reinterpret_cast<sockaddr*>(&address), connected);
  }
  const int32_t slot = connection->slot;
  if (failed != 0) {
    delete request;
    Close(connection, CloseReason::kIo, failed);
  }
  return slot;
}

void Reactor::OnConnected(Connection* connection, int status) {
  if (connection->state == Connection::State::kClosing) return;
  if (status == 0 && IsSelfConnected(connection->uv())) {
    ResetOnClose(connection->uv());
    status = UV_ECONNREFUSED;
  }
  if (status != 0) {
    Close(connection, CloseReason::kIo, status);
  } else {
    ReportOpened(connection);
  }
}

// Callback of uv_close: deletes the connection, or leaves that to DeleteClosed while a batch is read.
void Reactor::OnConnectionClosed(uv_handle_t* handle) {
  Connection* const closed = static_cast<Connection*>(handle->data);
  Reactor* const reactor = closed->reactor;
  if (reactor->delivering_) {
    reactor->closed_connections_.Append(closed);
  } else {
    delete closed;
  }
  reactor->OnHandleClosed();
}

void Reactor::StartReading(Connection* connection) {
  if (connection->state == Connection::State::kConnecting) {
    connection->state = Connection::State::kOpen;
    if (connection->kcp == nullptr) ApplySocketOptions(connection->uv(), connection->limits.socket);
    if (connection->held) return;
  }
  if (connection->layers != nullptr && connection->state == Connection::State::kOpen) {
    if (connection->layers->Ended()) {
      OnEnd(connection, UV_EOF);
      return;
    }
    if (connection->layers->Pending()) {
      Yield(connection);  // what was received is used first
      return;
    }
  }
  if (connection->kcp != nullptr) {
    ReadKcpEnd(connection);  // datagrams come without being read here
    return;
  }
  const int error = uv_read_start(
      connection->stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        Connection* const reading = static_cast<Connection*>(handle->data);
        reading->reactor->OnReadable(reading, buffer);
      },
      [](uv_stream_t* stream, ssize_t n, const uv_buf_t*) {
        Connection* const reading = static_cast<Connection*>(stream->data);
        reading->reactor->OnRead(reading, n == UV_ENOBUFS ? reading->reactor->TakeReceived() : n);
      });
  if (error != 0) Close(connection, CloseReason::kIo, error);
}

}  // namespace dmicro
