#pragma once

#include <uv.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/address.h"
#include "io/connection_table.h"
#include "io/inbox.h"
#include "io/listener.h"
#include "io/thread_check.h"
#include "wire/json_quote.h"
#include "wire/name_table.h"

namespace dmicro {

class Gather;
class KcpPeer;
struct KcpIo;
struct KcpPort;
struct KcpSettings;
struct UdpAddress;

// Reader of the inbox. Called on the loop's thread, never from inside a call into the reactor.
class BatchReader {
 public:
  // Reads the batch named in Control. Borrowed until this returns. May call the reactor.
  virtual void OnBatch() = 0;

 protected:
  ~BatchReader() = default;
};

// A message too large for the arena, in memory of its own.
struct HeapMessage {
  uint8_t* data;  // allocated with malloc
  size_t size;
};

// Receiver of the batches of a reactor on a thread of its own (io_thread.h): another thread reads them later. Reactor
// thread only.
class BatchSink {
 public:
  // Returns whether a batch can be published now. After false, the reactor's loop is woken when that changes.
  virtual bool Ready() = 0;
  // Returns the lane that follows the one being written. Requires that Ready returned true: the reader has returned
  // that lane.
  virtual const Lane& NextLane() = 0;
  virtual void Publish(Batch batch, std::vector<HeapMessage> large) = 0;

 protected:
  ~BatchSink() = default;
};

// Sockets, framing and rings on one libuv loop. The reactor knows neither Node-API nor JavaScript: it needs only a
// loop, memory for the rings and one reader, so it can run on a thread of its own.
//
// A turn: sockets are read (reactor_read.cc; through layers: reactor_layers.cc) → check phase: one batch is delivered,
// the outbox is drained (reactor.cc) and each connection is written once (reactor_write.cc) → prepare phase: what
// timers and other callbacks queued is sent.
//
// All functions: reactor thread only.
class Reactor {
 public:
  // Reactor on the thread of its reader.
  Reactor(uv_loop_t* loop, const Rings& rings, BatchReader* reader);
  // Reactor on a thread of its own: batches are published to `sink`, and the lane `first` is filled first.
  Reactor(uv_loop_t* loop, const Rings& rings, BatchSink* sink, const Lane& first);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Starts the handles of the loop's phases. Returns 0 or a libuv error code.
  int Start();
  // Closes every handle, and calls `done` when all of them are closed.
  void Stop(std::function<void()> done);

  // Opening (reactor_open.cc). Returned ids and slots are >= 0, libuv error codes < 0.
  struct ListenOptions {
    int backlog;
    bool reuse_port;  // several processes may listen on the port; the system spreads connections among them
    int32_t token;
    std::vector<Adopter*> adopters;
    WireLimits limits;
    OwnedDescriptor socket{};  // listens already, for example in another process too: opened in place of a new one
  };
  int32_t Listen(const Target& target, ListenOptions options);
  // Removes the path of a Unix socket that this reactor bound, unless `keep_path`: then others listen on the socket.
  void CloseListener(int32_t id, bool keep_path = false);
  Listener* FindListener(int32_t id) const;
  // Returns a slot; kConnect or kClose follows for that slot and `*generation`.
  int32_t Dial(const Target& target, const WireLimits& limits, int32_t* generation);
  // The same over KCP (reactor_kcp_open.cc). All sessions of a listener stay on its reactor.
  int32_t ListenKcp(const Target& target, const KcpSettings& settings, const ListenOptions& options);
  int32_t DialKcp(const Target& target, const KcpSettings& settings, const WireLimits& limits, int32_t* generation);
  // Returns the address that a listener is bound to, '' when there is none.
  std::string ListenerAddress(int32_t id) const;
  // Opens a connection on a socket that was accepted elsewhere.
  void Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits);

  // Closing. Both are followed by kClose; unknown numbers are ignored.
  void End(int32_t slot, int32_t generation);
  void Destroy(int32_t slot, int32_t generation, CloseReason reason);
  // Pause and resume of reading. Messages read before a pause are still delivered.
  void PauseReading(int32_t slot, int32_t generation);
  void ResumeReading(int32_t slot, int32_t generation);
  // Returns 0 or a libuv error code; UV_EBADF for unknown numbers and for connections that are not open.
  int SetOption(int32_t slot, int32_t generation, SocketOption option, uint32_t value);
  // Returns the descriptor of the socket, which the connection still owns; -1 when there is none.
  int Descriptor(int32_t slot, int32_t generation) const;
  // Sets how the bytes of a connection in kPeek are framed, from the first byte on; kPeek asks for more bytes. The
  // connection is not read until this is called.
  // Before that `skip` of the bytes that were peeked at are dropped. With bits of web_socket.h the connection is a
  // WebSocket from here on, behind everything that was sent before.
  void SetFraming(int32_t slot, int32_t generation, Framing framing, size_t skip = 0, uint32_t web_socket = 0);

  // Layers (reactor_layers.cc).
  //
  // Puts a layer above the socket and the layers that the connection has. Bytes that were read and not parsed yet stay
  // where they are: push before the first byte is read, or after SetFraming. Returns false for unknown numbers.
  bool PushLayer(int32_t slot, int32_t generation, std::unique_ptr<Layer> layer);
  // Runs `use` on the layers of a connection, writes what they appended to the scratch's `out`, and lets them receive
  // what waits. Does nothing when there are none.
  void UseLayers(int32_t slot, int32_t generation, const std::function<void(LayerStack*, ByteQueue* out)>& use);

  // Sending (reactor_write.cc).
  void Drain();
  // Drains with `body` as the body of the last message, in place of its run in the outbox. Requires at most kMaxBody
  // bytes. Borrowed until this returns.
  void DrainWith(Bytes body);
  // Sends the messages [first, next) of the ring; a `large` that is not empty is the body of the last one. Borrowed
  // until this returns.
  void DrainSends(int32_t first, int32_t next, Bytes large);
  // Frees the slots of connections whose kClose is in `batch`. Requires that the reader has read the batch.
  void Reclaim(Batch batch);

  Connection* Find(int32_t slot, int32_t generation) const { return table_.Find(slot, generation); }
  NameTable& names() { return names_; }
  // Sets how many microseconds the loop polls before it blocks; 0 turns polling off.
  void BusyPoll(uint32_t microseconds) { busy_poll_ns_ = uint64_t{microseconds} * 1000; }

  // Takes a large message of the batch being read. The caller owns its memory. {nullptr, 0} when it was taken before.
  HeapMessage TakeLarge(int32_t index);

 private:
  // Phases (reactor.cc).
  void OnPrepare();
  void OnCheck();
  void Deliver(bool keep_arena);
  void PublishBatch();
  bool RoomToRead() const;
  void KeepTurning();
  void DeleteClosed();
  void OnSweep();
  void Watch(Connection* connection);
  void Close(Connection* connection, CloseReason reason, int error);
  void OnHandleClosed();
  Record* AddRecord(const Connection* connection, RecordKind kind);

  // Busy polling (reactor_spin.cc).
  void Spin();
  bool ReadHot();

  // Opening (reactor_open.cc).
  //
  // With a `family` the socket is created at once, otherwise when libuv needs it.
  int InitHandle(Connection::Handle* handle, bool pipe, unsigned family = AF_UNSPEC);
  int Bind(Listener* listener, const Target& target, bool reuse_port);
  int BindPath(Listener* listener, const std::string& path);
  int OpenListening(Listener* listener, bool pipe, OwnedDescriptor socket);
  void OnConnection(Listener* listener, int status);
  void ForwardAccepted(Listener* listener, Adopter* adopter);
  void OnAccepted(Connection* connection, int error);
  bool Register(Connection* connection);
  void ReportOpened(Connection* connection);
  static void OnConnectionClosed(uv_handle_t* handle);
  void Free(Listener* listener);
  void OnConnected(Connection* connection, int status);
  void StartReading(Connection* connection);

  // Layers (reactor_layers.cc).
  void ReceiveLayered(Connection* connection, Bytes bytes);
  bool WriteLayered(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t replies);
  bool WriteLayerOut(Connection* connection, size_t replies);
  bool ReportLayerEvent(Connection* connection);
  void EndLayers(Connection* connection);
  void EndLayersNow(Connection* connection);

  // KCP (reactor_kcp.cc; opening and closing: reactor_kcp_open.cc).
  // Makes what all sessions over KCP share. Returns 0 or a libuv error code.
  int BeginKcp();
  int OpenPort(OwnedDescriptor socket, KcpPort** port);
  void StopAccepting(KcpPort* port);
  void ClosePort(KcpPort* port);
  void OnDatagrams(KcpPort* port);
  void TakeDatagram(KcpPort* port, const UdpAddress& from, Bytes datagram);
  KcpPeer* MeetPeer(KcpPort* port, const UdpAddress& from, Bytes datagram);
  KcpPeer* AcceptPeer(KcpPort* port, const UdpAddress& from, uint32_t conv, bool marked);
  void Touch(KcpPeer* peer);
  void Settle(KcpPeer* peer);
  void ReadKcp(Connection* connection);
  void ReadKcpEnd(Connection* connection);
  void NoteKcpSent(Connection* connection, size_t replies);
  void NoteKcpTaken(Connection* connection);
  void SendKcp();
  void TurnPeer(KcpPeer* peer);
  void EndKcp(Connection* connection);
  void CloseKcp(Connection* connection);
  static int SetKcpOption(Connection* connection, SocketOption option, uint32_t value);
  static std::string LocalKcpAddress(const Connection* connection);
  static std::string RemoteKcpAddress(const Connection* connection);

  // Receiving (reactor_read.cc).
  void OnReadable(Connection* connection, uv_buf_t* buffer);
  ssize_t TakeReceived();
  void OnAlloc(Connection* connection, uv_buf_t* buffer);
  Framer::Space Reserve(Connection* connection);
  void OnRead(Connection* connection, ssize_t n);
  void OnEnd(Connection* connection, int error);
  void DeliverIfFull();
  // Outcome of reading the bytes of one read.
  struct Consumed {
    bool completed = false;  // a message was completed
    bool delivered = false;  // a batch was delivered in the middle
    size_t parsed = 0;       // bytes of the arena that records point into
    size_t messages = 0;     // messages of a WebSocket that ended
    Parse parse = Parse::kMore;
    CloseReason reason = CloseReason::kLocal;
  };
  void Consume(Connection* connection, size_t n);
  void ConsumePayload(Connection* connection, size_t n, Consumed* consumed);
  void NoteSource(const Connection* connection);
  void FinishConsume(Connection* connection, const Consumed& consumed);
  bool OnFrame(Connection* connection, RawMessage message, Bytes frame, bool in_scratch);
  void AddMessage(Connection* connection, const RawMessage& message, const uint8_t* base, int32_t large);
  void Yield(Connection* connection);
  void Resume();

  // WebSocket (reactor_websocket.cc).
  Framer::Space ReserveMessage(Connection* connection, Framer::Space scratch);
  void ConsumeFrames(Connection* connection, size_t n);
  bool TakeMessage(Connection* connection, Bytes part, Consumed* consumed);
  const uint8_t* NextMask(const Connection* connection);
  void AppendPong(Connection* connection);
  void WritePongs(Connection* connection);
  void WriteLatePong(Connection* connection);
  void SendClose(Connection* connection, uint16_t code);
  void Fail(Connection* connection, CloseReason reason, uint16_t code);
  bool StageFrame(Connection* connection, Gather* gather, const RawMessage& message, bool packed, bool reply);

  // Sending (reactor_write.cc).
  void Flush(Connection* connection, const Send* sends, Bytes large);
  Bytes Escape(Bytes body);
  void NoteUnsent(const Connection* connection);
  void NoteActivity(const Connection* connection);
  bool Write(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t size, size_t replies);
  bool WriteSocket(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t size, size_t replies);
  void WriteBacklog(Connection* connection);
  void OnWritten(Connection* connection, int status);
  void Shutdown(Connection* connection);

  const ThreadCheck thread_{};  // the thread of the loop
  uv_loop_t* const loop_;
  const Rings rings_;
  BatchReader* const reader_;  // null when there is a sink
  BatchSink* const sink_;      // null when there is a reader
  Inbox inbox_;
  uint32_t half_ = 0;  // which half of the records is filled, when there is no sink
  ConnectionTable table_;
  NameTable names_;
  std::vector<Listener*> listeners_;  // by id; nullptr once closed
  std::vector<HeapMessage> large_;    // large messages of the batch being written or read
  List<Connection, Waiting> yielded_;
  List<Connection, Waiting> unreported_;          // opened, and not reported yet because the inbox had no room
  List<Connection, Waiting> closed_connections_;  // closed while a batch is read: the stack may still use them
  std::vector<Listener*> closed_listeners_;       // closed while a batch is read
  std::vector<Connection*> dirty_;                // connections with messages in the outbox
  std::vector<int32_t> next_send_;                // chains the messages of one connection
  std::vector<uint8_t> staging_;                  // headers and small bodies of one write
  std::array<uint8_t, kMaxUnescaped * kMaxEscape + 2> quoted_;  // a text with its escapes, before it is staged
  LayerScratch layer_scratch_;
  std::vector<uint8_t> sealed_;      // what sockets with layers are read into; empty until there is one
  ssize_t received_ = 0;             // what OnReadable has read: bytes, or an error
  uint8_t* message_base_ = nullptr;  // where ReserveMessage put an unfinished message
  ByteQueue pongs_;                  // answers to the pings of one read
  std::array<uint8_t, 4096> masks_;  // random bytes for the masks of frames
  size_t mask_at_ = masks_.size();
  List<Connection, Watched> watched_;
  std::unique_ptr<KcpIo> kcp_;  // null until a socket for KCP is opened
  uv_prepare_t prepare_;
  uv_check_t check_;
  uv_timer_t sweep_;
  uv_idle_t backlog_;             // active while events wait for a batch that has room
  uint64_t sweep_period_ = 1000;  // ms
  uint64_t swept_at_ = 0;
  uint64_t busy_poll_ns_ = 0;
  int32_t hot_slot_ = -1;  // connection that brought the last batch's messages
  int32_t hot_generation_ = 0;
  uint32_t sources_ = 0;  // reads that brought messages into the batch being written
  uint32_t retired_ = 0;  // slots whose kClose is not yet delivered
  uint32_t handles_ = 0;  // handles that are not yet closed
  bool delivering_ = false;
  bool stopped_ = false;
  bool traffic_ = false;  // bytes were read or sent since the loop last polled
  std::function<void()> done_;
};

}  // namespace dmicro
