#include <cstring>
#include <string>

#include "io/reactor.h"

namespace dmicro {
namespace {

// An IPv4 or IPv6 literal; names are resolved above.
int ToSockaddr(const char* host, int port, sockaddr_storage* address) {
  if (uv_ip4_addr(host, port, reinterpret_cast<sockaddr_in*>(address)) == 0) return 0;
  return uv_ip6_addr(host, port, reinterpret_cast<sockaddr_in6*>(address));
}

struct ConnectRequest {
  uv_connect_t request;
  Connection* connection;
};

}  // namespace

int Reactor::InitHandle(Connection::Handle* handle, bool pipe) {
  const int error = pipe ? uv_pipe_init(loop_, &handle->pipe, 0) : uv_tcp_init(loop_, &handle->tcp);
  if (error == 0) handles_++;
  return error;
}

int32_t Reactor::Listen(const char* host, int port, const char* path, int backlog, const WireLimits& limits) {
  if (stopped_) return UV_ECANCELED;
  Listener* const listener = new Listener{};
  int error = InitHandle(&listener->handle, host == nullptr);
  if (error != 0) {
    delete listener;
    return error;
  }
  listener->uv()->data = listener;
  listener->reactor = this;
  listener->limits = limits;
  listener->id = static_cast<int32_t>(listeners_.size());
  listeners_.push_back(listener);
  error = Bind(listener, host, port, path);
  if (error == 0) {
    error = uv_listen(listener->stream(), backlog, [](uv_stream_t* stream, int status) {
      Listener* const ready = static_cast<Listener*>(stream->data);
      ready->reactor->OnConnection(ready, status);
    });
  }
  if (error == 0) return listener->id;
  CloseListener(listener->id);
  return error;
}

int Reactor::Bind(Listener* listener, const char* host, int port, const char* path) {
  if (host == nullptr) return uv_pipe_bind(&listener->handle.pipe, path);
  sockaddr_storage address;
  const int error = ToSockaddr(host, port, &address);
  return error != 0 ? error : uv_tcp_bind(&listener->handle.tcp, reinterpret_cast<sockaddr*>(&address), 0);
}

Listener* Reactor::FindListener(int32_t id) const {
  return id < 0 || static_cast<size_t>(id) >= listeners_.size() ? nullptr : listeners_[static_cast<size_t>(id)];
}

void Reactor::CloseListener(int32_t id) {
  Listener* const listener = FindListener(id);
  if (listener == nullptr) return;
  listeners_[static_cast<size_t>(id)] = nullptr;
  uv_close(listener->uv(), [](uv_handle_t* handle) {
    Listener* const closed = static_cast<Listener*>(handle->data);
    Reactor* const reactor = closed->reactor;
    delete closed;
    reactor->Forget();
  });
}

// One connection's failure is its own: libuv keeps listening, even when descriptors run out.
void Reactor::OnConnection(Listener* listener, int status) {
  if (status != 0) return;
  Connection* const connection = new Connection(this, listener->limits);
  if (InitHandle(&connection->handle, listener->uv()->type == UV_NAMED_PIPE) != 0) {
    delete connection;
    return;
  }
  connection->uv()->data = connection;
  const int error = uv_accept(listener->stream(), connection->stream());
  table_.Add(connection);
  AddRecord(connection, kAccept)->seq = listener->id;
  if (error != 0) {
    Close(connection, CloseReason::kIo, error);
  } else {
    StartReading(connection);
  }
  if (inbox_.Full()) Deliver(false);
}

int32_t Reactor::Dial(const char* host, int port, const char* path, const WireLimits& limits) {
  if (stopped_) return UV_ECANCELED;
  sockaddr_storage address;
  if (host != nullptr) {
    const int error = ToSockaddr(host, port, &address);
    if (error != 0) return error;
  }
  Connection* const connection = new Connection(this, limits);
  const int error = InitHandle(&connection->handle, host == nullptr);
  if (error != 0) {
    delete connection;
    return error;
  }
  connection->uv()->data = connection;
  table_.Add(connection);
  rings_.control->generation = connection->generation;
  ConnectRequest* const request = new ConnectRequest{{}, connection};
  const auto connected = [](uv_connect_t* base, int status) {
    ConnectRequest* const done = reinterpret_cast<ConnectRequest*>(base);
    Connection* const dialled = done->connection;
    delete done;
    dialled->reactor->OnConnected(dialled, status);
  };
  int failed = 0;
  if (host == nullptr) {
    uv_pipe_connect(&request->request, &connection->handle.pipe, path, connected);
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
  if (status != 0) {
    Close(connection, CloseReason::kIo, status);
    return;
  }
  AddRecord(connection, kConnect);
  StartReading(connection);
}

void Reactor::StartReading(Connection* connection) {
  if (connection->state == Connection::State::kConnecting) {
    connection->state = Connection::State::kOpen;
    if (connection->uv()->type == UV_TCP) uv_tcp_nodelay(&connection->handle.tcp, 1);
  }
  const int error = uv_read_start(
      connection->stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        Connection* const reading = static_cast<Connection*>(handle->data);
        reading->reactor->OnAlloc(reading, buffer);
      },
      [](uv_stream_t* stream, ssize_t n, const uv_buf_t*) {
        Connection* const reading = static_cast<Connection*>(stream->data);
        reading->reactor->OnRead(reading, n);
      });
  if (error != 0) Close(connection, CloseReason::kIo, error);
}

}  // namespace dmicro
