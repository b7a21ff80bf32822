#pragma once

#include <array>
#include <functional>
#include <vector>

#include "kcp/segment.h"
#include "kcp/siphash.h"

namespace dmicro {

// The `fragment` of segments other than data by which dmicro peers recognise each other. Go ignores it.
inline constexpr uint8_t kKcpMark = 0xd3;

// Whether a segment is a challenge: a PUSH with a number in the past, which every KCP acknowledges with the same
// numbers.
inline bool IsChallenge(const SegmentHeader& header) {
  return header.command == kKcpPush && header.fragment == kKcpMark && header.size == 0 && header.sn >= 0x80000000;
}

// Answers datagrams of peers that no session knows. A peer gets a session only when it has proved that it receives what
// is sent to its address, and before that it costs no memory but a place in a room of fixed size. No answer is longer
// than what it answers.
class KcpDoor {
 public:
  explicit KcpDoor(const SipKey& key) : key_(key) {}

  enum class Verdict : uint8_t {
    kDrop,
    kReply,  // send the 24 bytes in `reply`
    kOpen,   // open a session: the peer has answered a challenge
  };
  struct Answer {
    Verdict verdict = Verdict::kDrop;
    uint32_t conv = 0;
    bool marked = false;  // the peer is a dmicro peer
    std::array<uint8_t, SegmentHeader::kSize> reply{};
  };

  // Decides what a datagram gets that came from `address`, which is compared byte by byte. `window` is told to the
  // peer. With `open` false no session can be opened.
  Answer Meet(Bytes address, Bytes datagram, uint16_t window, uint64_t now, bool open);
  // Returns the reply that tells a peer that it has no session.
  static Answer Refuse(const SegmentHeader& header);
  // Calls `use` with the first datagram of a peer that was let in, if it is still known, and forgets it.
  void TakeKept(Bytes address, uint32_t conv, const std::function<void(Bytes datagram)>& use);

 private:
  static constexpr size_t kKept = 128;
  static constexpr uint64_t kEpoch = 8192;  // ms for which challenges are the same; each is good for as long again
  static constexpr size_t kRemembered = 512;

  struct Kept {
    std::vector<uint8_t> address;
    uint32_t conv;
    std::vector<uint8_t> datagram;
  };

  Answer Challenge(Bytes address, uint32_t conv, uint16_t window, uint64_t now);
  bool Answers(Bytes address, const SegmentHeader& header, uint64_t now);
  bool IsFirst(uint64_t cookie);
  uint64_t Cookie(Bytes address, uint32_t conv, uint64_t epoch) const;
  void Keep(Bytes address, uint32_t conv, Bytes datagram);

  const SipKey key_;
  std::vector<Kept> kept_;
  size_t next_ = 0;             // place of the oldest
  std::vector<uint64_t> used_;  // the last cookies that opened a session
  size_t next_used_ = 0;        // place of the oldest
};

}  // namespace dmicro
