#include "kcp/door.h"

#include <algorithm>

#include "kcp/fec.h"

namespace dmicro {
namespace {

bool Same(const std::vector<uint8_t>& a, Bytes b) {
  return a.size() == b.size && std::equal(a.begin(), a.end(), b.data);
}

void Store(KcpDoor::Answer* answer, const SegmentHeader& header) {
  answer->verdict = KcpDoor::Verdict::kReply;
  header.Store(answer->reply.data());
}

// A number in the past of a conversation that begins.
uint32_t OldNumber(uint64_t cookie) { return static_cast<uint32_t>(cookie >> 32) | 0x80000000; }

}  // namespace

KcpDoor::Answer KcpDoor::Meet(Bytes address, Bytes datagram, uint16_t window, uint64_t now, bool open) {
  Answer answer;
  Bytes segments = datagram;
  if (segments.size < SegmentHeader::kSize || segments.size > kMaxDatagram) return answer;
  if (HasFecHeader(segments.data)) {
    if (segments.data[4] != kFecData || segments.size < kFecHeader + SegmentHeader::kSize) return answer;
    segments = {segments.data + kFecHeader, segments.size - kFecHeader};
  }
  const SegmentHeader header = SegmentHeader::Load(segments.data);
  answer.conv = header.conv;
  // A peer that has received something had a session, which is lost.
  const bool first = header.sn == 0 && header.una == 0 && (header.command == kKcpPush || header.command == kKcpAsk);
  if (first && open) {
    if (header.command == kKcpPush) Keep(address, header.conv, datagram);
    return Challenge(address, header.conv, window, now);
  }
  if (header.command == kKcpAck && open && Answers(address, header, now)) {
    answer.verdict = Verdict::kOpen;
    answer.marked = header.fragment == kKcpMark;
    return answer;
  }
  if (header.command == kKcpReset || (header.fragment != kKcpMark && header.command != kKcpPush)) return answer;
  return Refuse(header);
}

KcpDoor::Answer KcpDoor::Refuse(const SegmentHeader& header) {
  Answer answer;
  answer.conv = header.conv;
  SegmentHeader reset;
  reset.conv = header.conv;
  reset.command = kKcpReset;
  reset.fragment = kKcpMark;
  reset.ts = header.ts;
  reset.sn = header.sn;
  Store(&answer, reset);
  return answer;
}

KcpDoor::Answer KcpDoor::Challenge(Bytes address, uint32_t conv, uint16_t window, uint64_t now) {
  const uint64_t cookie = Cookie(address, conv, now / kEpoch);
  Answer answer;
  answer.conv = conv;
  SegmentHeader challenge;
  challenge.conv = conv;
  challenge.command = kKcpPush;
  challenge.fragment = kKcpMark;
  challenge.window = window;
  challenge.ts = static_cast<uint32_t>(cookie);
  challenge.sn = OldNumber(cookie);
  Store(&answer, challenge);
  return answer;
}

bool KcpDoor::Answers(Bytes address, const SegmentHeader& header, uint64_t now) {
  const uint64_t epoch = now / kEpoch;
  for (uint64_t age = 0; age < 2; age++) {
    const uint64_t cookie = Cookie(address, header.conv, epoch - age);
    if (header.ts == static_cast<uint32_t>(cookie) && header.sn == OldNumber(cookie)) return IsFirst(cookie);
  }
  return false;
}

// Returns whether the cookie opens a session: once only, since a copy of its answer can come when the session is
// closed.
bool KcpDoor::IsFirst(uint64_t cookie) {
  if (std::find(used_.begin(), used_.end(), cookie) != used_.end()) return false;
  if (used_.size() < kRemembered) {
    used_.push_back(cookie);
  } else {
    used_[next_used_] = cookie;
    next_used_ = (next_used_ + 1) % kRemembered;
  }
  return true;
}

uint64_t KcpDoor::Cookie(Bytes address, uint32_t conv, uint64_t epoch) const {
  std::array<uint8_t, 64> bytes{};
  DMICRO_ASSERT(address.size <= bytes.size() - 12);
  StoreLittle32(bytes.data(), conv);
  StoreLittle32(bytes.data() + 4, static_cast<uint32_t>(epoch));
  StoreLittle32(bytes.data() + 8, static_cast<uint32_t>(epoch >> 32));
  StoreBytes(bytes.data() + 12, address);
  return SipHash(key_, {bytes.data(), 12 + address.size});
}

void KcpDoor::Keep(Bytes address, uint32_t conv, Bytes datagram) {
  const std::vector<uint8_t> bytes(datagram.data, datagram.data + datagram.size);
  for (Kept& kept : kept_) {
    if (kept.conv == conv && Same(kept.address, address)) {
      kept.datagram = bytes;
      return;
    }
  }
  Kept kept{{address.data, address.data + address.size}, conv, bytes};
  if (kept_.size() < kKept) {
    kept_.push_back(std::move(kept));
  } else {
    kept_[next_] = std::move(kept);
    next_ = (next_ + 1) % kKept;
  }
}

void KcpDoor::TakeKept(Bytes address, uint32_t conv, const std::function<void(Bytes datagram)>& use) {
  for (Kept& kept : kept_) {
    if (kept.conv != conv || !Same(kept.address, address)) continue;
    const std::vector<uint8_t> datagram = std::move(kept.datagram);
    kept = {};
    if (!datagram.empty()) use({datagram.data(), datagram.size()});
    return;
  }
}

}  // namespace dmicro
