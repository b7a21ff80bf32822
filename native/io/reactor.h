#pragma once

#include <uv.h>

#include <functional>
#include <string>
#include <vector>

#include "io/address.h"
#include "io/connection_table.h"
#include "io/inbox.h"
#include "io/listener.h"
#include "io/thread_check.h"
#include "wire/name_table.h"

namespace dmicro {

// Who reads the inbox. Called on the loop's thread, never from inside a call into the reactor.
class BatchReader {
 public:
  // The batch named in Control is there until this returns. May call the reactor.
  virtual void OnBatch() = 0;

 protected:
  ~BatchReader() = default;
};

// A message too large for the arena, in memory of its own.
struct HeapMessage {
  uint8_t* data;  // malloc'ed
  size_t size;
};

// Where a reactor on a thread of its own leaves its batches (io_thread.h): they are read later, by another thread.
class BatchSink {
 public:
  // Whether a batch would be taken now. When not, Reactor::Turn is due once that changes.
  virtual bool Ready() = 0;
  // The lane that follows the one being written; its reader has given it back.
  virtual const Lane& NextLane() = 0;
  virtual void Publish(Batch batch, std::vector<HeapMessage> large) = 0;

 protected:
  ~BatchSink() = default;
};

// Sockets, framing and rings on one libuv loop. It knows neither Node-API nor JavaScript (design §4): all it needs is a
// loop, memory for the rings and one reader, so it can run on a thread of its own.
//
// A turn: sockets are read (reactor_read.cc) → check phase: one batch goes up, the outbox comes down (reactor.cc) and
// each connection is written once (reactor_write.cc) → prepare phase: what timers and other callbacks queued goes out.
class Reactor {
 public:
  // In the reader's own thread.
  Reactor(uv_loop_t* loop, const Rings& rings, BatchReader* reader);
  // On a thread of its own; the first lane to write is given.
  Reactor(uv_loop_t* loop, const Rings& rings, BatchSink* sink, const Lane& first);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Connects the loop's phases. A libuv error code, or 0.
  int Start();
  // Closes every handle; `done` is called when the loop has forgotten all of them.
  void Stop(std::function<void()> done);

  // Opening (reactor_open.cc). Ids and slots are >= 0, errors libuv codes < 0.
  struct ListenOptions {
    int backlog;
    bool reuse_port;  // several processes may listen on the port; the system spreads connections among them
    int32_t token;
    std::vector<Adopter*> adopters;
    WireLimits limits;
  };
  int32_t Listen(const Target& target, ListenOptions options);
  void CloseListener(int32_t id);
  Listener* FindListener(int32_t id) const;
  // kConnect or kClose follows for the slot and generation.
  int32_t Dial(const Target& target, const WireLimits& limits, int32_t* generation);
  // Takes an accepted socket of another reactor's listener over.
  void Adopt(OwnedDescriptor socket, bool pipe, int32_t token, const WireLimits& limits);

  // Closing. Both are followed by kClose; unknown numbers are ignored.
  void End(int32_t slot, int32_t generation);
  void Destroy(int32_t slot, int32_t generation, CloseReason reason);
  // Stops reading a connection, or goes on. What was read before still comes.
  void PauseReading(int32_t slot, int32_t generation);
  void ResumeReading(int32_t slot, int32_t generation);
  // A libuv error code, or 0; UV_EBADF for unknown numbers and connections that are closing.
  int SetOption(int32_t slot, int32_t generation, SocketOption option, uint32_t value);
  // Of its socket, which stays the connection's own; -1 when there is none.
  int Descriptor(int32_t slot, int32_t generation) const;
  // Answers what a connection in kPeek sent: `framing` from its first byte on, or kPeek for more bytes. It is not read
  // before.
  void SetFraming(int32_t slot, int32_t generation, Framing framing);

  // Sending (reactor_write.cc).
  void Drain();
  // Drains, the last message's body being `body`, of kMaxBody bytes at most, in place of its run in the outbox.
  void DrainWith(Bytes body);
  // The same for the sends [first, next) of the ring.
  void DrainSends(int32_t first, int32_t next, Bytes large);
  // The outlet's reader is done with a batch.
  void Reclaim(Batch batch);

  Connection* Find(int32_t slot, int32_t generation) const { return table_.Find(slot, generation); }
  NameTable& names() { return names_; }
  // Microseconds to poll before blocking; 0 turns it off.
  void BusyPoll(uint32_t microseconds) { busy_poll_ns_ = uint64_t{microseconds} * 1000; }

  // Of the batch being read: once each, {nullptr, 0} afterwards.
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
  // With a `family` the socket is made at once, else when it is needed.
  int InitHandle(Connection::Handle* handle, bool pipe, unsigned family = AF_UNSPEC);
  int Bind(Listener* listener, const Target& target, bool reuse_port);
  void OnConnection(Listener* listener, int status);
  void ForwardAccepted(Listener* listener, Adopter* adopter);
  void OnAccepted(Connection* connection, int error);
  bool Register(Connection* connection);
  void ReportOpened(Connection* connection);
  static void OnConnectionClosed(uv_handle_t* handle);
  void Free(Listener* listener);
  void OnConnected(Connection* connection, int status);
  void StartReading(Connection* connection);

  // Receiving (reactor_read.cc).
  void OnAlloc(Connection* connection, uv_buf_t* buffer);
  void OnRead(Connection* connection, ssize_t n);
  void Consume(Connection* connection, size_t n);
  bool OnFrame(Connection* connection, RawMessage message, Bytes frame, bool in_scratch);
  void Yield(Connection* connection);
  void Resume();

  // Sending (reactor_write.cc).
  void Flush(Connection* connection, const Send* sends, Bytes large);
  void NoteUnsent(const Connection* connection);
  void NoteActivity(const Connection* connection);
  bool Write(Connection* connection, const uv_buf_t* buffers, unsigned count, size_t size, size_t replies);
  void WriteBacklog(Connection* connection);
  void OnWritten(Connection* connection, int status);
  void Shutdown(Connection* connection);

  const ThreadCheck thread_{};  // the loop's
  uv_loop_t* const loop_;
  const Rings rings_;
  BatchReader* const reader_;  // either this
  BatchSink* const sink_;      // or this
  Inbox inbox_;
  uint32_t half_ = 0;  // of the records, when the reader is ours
  ConnectionTable table_;
  NameTable names_;
  std::vector<Listener*> listeners_;  // by id; nullptr once closed
  std::vector<HeapMessage> large_;    // of the batch being written or read
  List<Connection, Waiting> yielded_;
  List<Connection, Waiting> unreported_;  // there was no room to tell of them
  List<Connection, Waiting>
      closed_connections_;                   // closed while a batch is read: whoever delivered it may still be at them
  std::vector<Listener*> closed_listeners_;  // likewise
  std::vector<Connection*> dirty_;           // connections with messages in the outbox
  std::vector<int32_t> next_send_;           // chains the messages of one connection
  std::vector<uint8_t> staging_;             // headers and small bodies of one write
  List<Connection, Watched> watched_;
  uv_prepare_t prepare_;
  uv_check_t check_;
  uv_timer_t sweep_;
  uv_idle_t backlog_;             // active while events wait that no batch had room for
  uint64_t sweep_period_ = 1000;  // ms
  uint64_t swept_at_ = 0;
  uint64_t busy_poll_ns_ = 0;
  int32_t hot_slot_ = -1;  // who brought the last batch's messages
  int32_t hot_generation_ = 0;
  uint32_t sources_ = 0;  // reads that brought messages into the batch being written
  uint32_t retired_ = 0;  // slots whose kClose is not yet delivered
  uint32_t handles_ = 0;  // not yet closed
  bool delivering_ = false;
  bool stopped_ = false;
  bool traffic_ = false;  // since the loop last polled
  std::function<void()> done_;
};

}  // namespace dmicro
