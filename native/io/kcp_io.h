#pragma once

#include <uv.h>

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/connection.h"
#include "io/timer_wheel.h"
#include "io/udp_socket.h"
#include "kcp/link.h"
#include "kcp/siphash.h"

namespace dmicro {

struct KcpPort;

// Tag of the list of peers to whom something may have to be sent in this turn.
struct Dirty;

// One session over KCP and its place in the reactor. Owned by its connection, as the lowest layer.
class KcpPeer final : public KcpLink, public Linked<Dirty>, public WheelTimer {
 public:
  using DirtyList = List<KcpPeer, Dirty>;

  KcpPeer(uint32_t conv, const KcpSettings& settings, Role role, uint32_t epoch, uint64_t now, DirtyList* dirty)
      : KcpLink(conv, settings, role, epoch, now), dirty_(dirty) {}

  void Queue() {
    if (!Linked<Dirty>::linked()) dirty_->Append(this);
  }
  void OnQueued() override { Queue(); }

  Connection* connection = nullptr;
  KcpPort* port = nullptr;          // null once the connection is closed
  UdpAddress address;               // of an accepted peer
  KcpPeer* same_address = nullptr;  // the next one of the same address
  bool heard = false;               // data, since it was settled
  bool touched = false;             // waits to be settled
  size_t replies = 0;               // bytes of replies that the peer has not acknowledged
  uint64_t progress_at = 0;         // when the peer last acknowledged something, or had nothing to acknowledge
  bool overdue = false;             // had acknowledged nothing for too long before the sockets were last read
  uint32_t seen_una = 0;            // what it had acknowledged then

 private:
  DirtyList* const dirty_;
};

// An address as a key of a hash table, whose hashes a peer cannot foresee.
struct UdpKey {
  std::array<uint8_t, 28> bytes{};
  explicit UdpKey(const UdpAddress& address) {
    const Bytes key = address.Key();
    DMICRO_ASSERT(key.size <= bytes.size());
    std::memcpy(bytes.data(), key.data, key.size);
  }
  bool operator==(const UdpKey& other) const { return bytes == other.bytes; }
};
struct UdpKeyHash {
  SipKey key;
  size_t operator()(const UdpKey& address) const {
    return static_cast<size_t>(SipHash(key, {address.bytes.data(), address.bytes.size()}));
  }
};

// One socket for datagrams: of a listener and all its peers, or of one dialled peer. Deleted after uv_close has called
// back.
struct KcpPort {
  KcpPort(Reactor* owner, OwnedDescriptor descriptor, const SipKey& key)
      : reactor(owner), socket(std::move(descriptor)), peers(8, UdpKeyHash{key}) {}

  uv_poll_t poll;
  Reactor* const reactor;
  OwnedDescriptor socket;
  std::unique_ptr<KcpDoor> door;  // null without a listener
  WireLimits limits;
  KcpSettings settings;
  int32_t token = -1;
  bool accepting = false;
  bool closing = false;
  size_t sessions = 0;
  KcpPeer* dialled = nullptr;
  std::unordered_map<UdpKey, KcpPeer*, UdpKeyHash> peers;  // accepted ones by address
};

// State that all sockets for datagrams of a reactor share.
struct KcpIo {
  explicit KcpIo(uint64_t now) : wheel(now) {}

  UdpInbox inbox;
  UdpOutbox outbox;
  TimerWheel wheel;
  uv_timer_t timer;  // of the wheel
  uint64_t timer_at = TimerWheel::kNever;
  bool expired = false;  // the timer has, and was not set again
  KcpPeer::DirtyList dirty;
  std::vector<KcpPeer*> touched;
  std::vector<KcpPort*> dialled_ports;
  SipKey key{};
  uint64_t made = 0;  // numbers that Random32 has made

  // A number that nobody without the key can foresee.
  uint32_t Random32() {
    const uint64_t count = made++;
    return static_cast<uint32_t>(SipHash(key, {reinterpret_cast<const uint8_t*>(&count), sizeof count}));
  }
};

}  // namespace dmicro
