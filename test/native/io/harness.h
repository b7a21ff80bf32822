#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/owned_descriptor.h"
#include "io/reactor.h"
#include "message.h"

// Helpers shared by the tests of native/io: memory for the rings, a loop, a reader that keeps what it read, and
// sockets.

namespace dmicro {

// Memory of the rings. Each arena has exactly its size, so that AddressSanitizer sees one byte too many.
class RingMemory {
 public:
  explicit RingMemory(uint32_t inbox = kInboxSize, uint32_t records = 2 * kMaxRecords, uint32_t lanes = 1)
      : inbox_(new uint8_t[inbox]),
        records_(new Record[records]()),
        outbox_(new uint8_t[size_t{lanes} * kOutboxSize]),
        sends_(new Send[size_t{lanes} * kMaxSends]()),
        unsent_(new int32_t[kMaxSlots]()),
        replies_(new int32_t[kMaxSlots]()),
        activity_(new int32_t[kMaxSlots]()),
        lanes_(lanes) {}

  Rings rings() {
    return {inbox_.get(),       records_.get(), outbox_.get(), lanes_ * kOutboxSize, sends_.get(),
            lanes_ * kMaxSends, &control_,      unsent_.get(), replies_.get(),       activity_.get()};
  }
  Control& control() { return control_; }
  const uint8_t* inbox() const { return inbox_.get(); }
  int32_t Unsent(int32_t slot) const { return LoadWord(&unsent_[static_cast<size_t>(slot)]); }
  int32_t Activity(int32_t slot) const { return LoadWord(&activity_[static_cast<size_t>(slot)]); }

 private:
  std::unique_ptr<uint8_t[]> inbox_;
  std::unique_ptr<Record[]> records_;
  std::unique_ptr<uint8_t[]> outbox_;
  std::unique_ptr<Send[]> sends_;
  std::unique_ptr<int32_t[]> unsent_;
  std::unique_ptr<int32_t[]> replies_;
  std::unique_ptr<int32_t[]> activity_;
  Control control_{};
  const uint32_t lanes_;
};

// A record and copies of what it points to.
struct Event {
  int32_t slot;
  int32_t generation;
  RecordKind kind;
  int32_t seq;
  int32_t route;
  std::string name;  // kAccept, kConnect: the remote address
  std::string meta;  // kAccept, kConnect: the local address
  std::string body;
  int32_t bits;
};

// Reader that keeps what it reads, and may act on it from inside of the batch, as an upper layer does.
class Journal final : public BatchReader {
 public:
  Journal(RingMemory* memory, std::function<HeapMessage(int32_t)> take_large)
      : memory_(memory), take_large_(std::move(take_large)) {}

  void OnBatch() override {
    batches++;
    const Control& control = memory_->control();
    const int32_t first = control.first, last = first + control.count;
    for (int32_t i = first; i < last; i++) {
      const Record& record = memory_->rings().records[i];
      Event event{
          record.slot, record.generation, static_cast<RecordKind>(record.kind), record.seq, record.route, {}, {},
          {},          record.bits};
      const bool points = event.kind == kMessage || event.kind == kAccept || event.kind == kConnect;
      HeapMessage large{nullptr, 0};
      if (record.large >= 0) large = take_large_(record.large);
      const uint8_t* const base = large.data != nullptr ? large.data : memory_->inbox();
      const auto text = [base](int32_t start, int32_t end) {
        return std::string(reinterpret_cast<const char*>(base + start), static_cast<size_t>(end - start));
      };
      if (points) {
        event.name = text(record.name_start, record.name_end);
        event.meta = text(record.meta_start, record.meta_end);
      }
      if (event.kind == kMessage) event.body = text(record.body_start, record.body_end);
      std::free(large.data);
      events.push_back(event);
      if (on_event) on_event(events.back());
    }
  }

  size_t Count(RecordKind kind) const {
    size_t count = 0;
    for (const Event& event : events) count += event.kind == kind ? 1 : 0;
    return count;
  }
  const Event* Find(RecordKind kind, int32_t slot) const {
    for (const Event& event : events) {
      if (event.kind == kind && event.slot == slot) return &event;
    }
    return nullptr;
  }

  std::deque<Event> events;  // a deque: references stay valid while more events come
  size_t batches = 0;
  std::function<void(const Event&)> on_event;

 private:
  RingMemory* const memory_;
  const std::function<HeapMessage(int32_t)> take_large_;
};

inline constexpr WireLimits kWire{{16 * 1024 * 1024, 4, Framing::kRaw}, 16 * 1024 * 1024, 10'000, 30'000, {}};

// Runs `loop` until `holds` returns true, for at most twenty seconds.
inline bool TurnUntil(uv_loop_t* loop, const std::function<bool()>& holds) {
  const uint64_t end = uv_hrtime() + 20'000'000'000;
  uv_timer_t wake;
  uv_timer_init(loop, &wake);
  uv_timer_start(
      &wake, [](uv_timer_t*) {}, 5, 5);
  bool held;
  while (!(held = holds()) && uv_hrtime() < end) uv_run(loop, UV_RUN_ONCE);
  uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
  uv_run(loop, UV_RUN_NOWAIT);
  return held;
}

// A reactor on the thread of the loop.
class Home {
 public:
  Home()
      : journal(&memory, [this](int32_t index) { return reactor.TakeLarge(index); }),
        reactor(Loop(), memory.rings(), &journal) {
    reactor.Start();
  }
  ~Home() {
    reactor.Stop([] {});
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  bool Until(const std::function<bool()>& holds) { return TurnUntil(&loop, holds); }

  RingMemory memory;
  uv_loop_t loop;
  Journal journal;
  Reactor reactor;

 private:
  uv_loop_t* Loop() {
    uv_loop_init(&loop);
    return &loop;
  }
};

inline void SetNonBlocking(int descriptor) { fcntl(descriptor, F_SETFL, O_NONBLOCK); }

// Two ends of a stream: `near` is for the reactor, `far` for the test.
struct Ends {
  OwnedDescriptor near, far;
};

inline Ends MakeEnds(int buffer = 0) {
  int pair[2];
  Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
  if (buffer != 0) {
    for (const int end : pair) {
      setsockopt(end, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
      setsockopt(end, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    }
  }
  SetNonBlocking(pair[1]);
  return {OwnedDescriptor(pair[0]), OwnedDescriptor(pair[1])};
}

// Writes as much as fits; returns the number of bytes.
inline size_t Put(const OwnedDescriptor& to, std::string_view bytes) {
  const ssize_t n = send(to.number(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return n < 0 ? 0 : static_cast<size_t>(n);
}

// Reads the bytes that are there.
inline std::string TakeBytes(const OwnedDescriptor& from, size_t most = 1 << 20) {
  std::string bytes(most, '\0');
  const ssize_t n = recv(from.number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
  return bytes;
}

inline std::string FrameWith(std::string_view body, int32_t seq = 1) {
  return Pack(Message{.seq = seq, .method = "/m", .body = std::string(body)});
}

// A whole frame of `size` bytes.
inline std::string FrameOfSize(size_t size, int32_t seq = 1) {
  const size_t rest = FrameWith("", seq).size();
  return FrameWith(std::string(size - rest, 'x'), seq);
}

// A folder for one test, deleted with this object.
class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/dmicro-io-XXXXXX";
    Require(mkdtemp(name) != nullptr, "mkdtemp");
    path_ = name;
  }
  ~TempFolder() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }
  // Returns a path of `length` bytes in the folder.
  std::string File(size_t length) {
    std::string file = path_ + '/';
    file.resize(std::max(file.size() + 1, length), 'f');
    files_.push_back(file);
    return file;
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

// A Unix socket that listens and never accepts: the system completes connections all the same.
inline OwnedDescriptor ListenUnix(const std::string& path, int backlog = 4096) {
  OwnedDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Require(bind(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  Require(listen(socket.number(), backlog) == 0, "listen");
  return socket;
}

}  // namespace dmicro
