#include "kcp/kcp.h"

#include <algorithm>

namespace dmicro {
namespace {

constexpr uint32_t kMinRto = 100, kMinRtoNoDelay = 30, kMaxRto = 60'000;  // ms
constexpr uint32_t kMinPatience = 20;                                     // ms that an answer may be late
// Between questions about a window of 0, in ms.
constexpr uint32_t kFirstProbe = 7000, kLongestProbe = 120'000;

uint32_t PowerOfTwoFrom(uint32_t least) {
  uint32_t power = 1;
  while (power < least) power *= 2;
  return power;
}

}  // namespace

// Packs segments into datagrams.
class Kcp::Writer {
 public:
  Writer(size_t mtu, KcpOutput* output) : mtu_(mtu), output_(output) {}

  void MakeSpace(size_t size) {
    if (used_ + size <= mtu_) return;
    Finish();
    used_ = 0;
  }
  void Append(const SegmentHeader& header, Bytes data) {
    MakeSpace(SegmentHeader::kSize + data.size);
    if (used_ == 0) start_ = output_->Begin(mtu_);
    header.Store(start_ + used_);
    StoreBytes(start_ + used_ + SegmentHeader::kSize, data);
    used_ += SegmentHeader::kSize + data.size;
  }
  void Finish() {
    if (used_ != 0) output_->Commit(used_);
  }

 private:
  const size_t mtu_;
  KcpOutput* const output_;
  uint8_t* start_ = nullptr;
  size_t used_ = 0;
};

Kcp::Kcp(uint32_t conv, const KcpSettings& settings)
    : conv_(conv),
      mtu_(settings.mtu),
      mss_(settings.mtu - static_cast<uint32_t>(SegmentHeader::kSize)),
      window_(settings.window),
      interval_(settings.interval),
      urgent_(settings.resend),
      resend_(settings.resend == 0 ? UINT32_MAX : settings.resend),
      dead_link_(settings.dead_link),
      no_delay_(settings.no_delay),
      congested_(settings.congestion),
      congestion_(mss_) {
  DMICRO_ASSERT(settings.mtu > SegmentHeader::kSize && settings.window != 0 && settings.window <= UINT16_MAX);
}

uint16_t Kcp::FreeWindow() const {
  return static_cast<uint16_t>(received_.size() < window_ ? window_ - received_.size() : 0);
}

uint32_t Kcp::Window() const {
  const uint32_t window = std::min(window_, rmt_wnd_);
  return congested_ ? std::min(congestion_.size(), window) : window;
}

bool Kcp::MaySend() const {
  // The congestion window is 0 before the first flush only.
  const uint32_t window = congested_ && congestion_.size() == 0 ? std::min(1u, rmt_wnd_) : Window();
  return !queue_.Empty() && Distance(snd_nxt_, snd_una_ + window) < 0;
}

uint32_t Kcp::Due(uint32_t now) {
  uint32_t due = UINT32_MAX;
  const auto at = [&](uint32_t time) { due = std::min(due, static_cast<uint32_t>(std::max(Distance(time, now), 0))); };
  const uint32_t patience = Patience();
  const uint32_t reordering = static_cast<uint32_t>(srtt_) / 4;
  for (size_t i = 0; i < sent_.size(); i++) {
    if (sent_[i].acked) continue;
    at(ResendAt(i, patience));
    if (sent_[i].passed_over != 0 && queue_.Empty()) at(sent_[i].passed_at + reordering);
  }
  // A window of 0 that no flush has seen yet is asked about from the next one on.
  if (!queue_.Empty() && (probe_wait_ != 0 || rmt_wnd_ == 0)) at(probe_wait_ != 0 ? probe_at_ : now);
  return due;
}

void Kcp::ExpectTell() {
  if (asked_) return;
  asked_ = true;
  asked_una_ = snd_una_;
}

void Kcp::PopFront() {
  const bool full = received_.size() >= window_;
  received_.Pop();
  MoveEarly();
  if (full && received_.size() < window_) probe_ |= kAskTell;
}

void Kcp::Send(Bytes bytes) {
  unsent_bytes_ += bytes.size;
  const auto take = [&bytes](size_t size) {
    const Bytes part{bytes.data, size};
    bytes = {bytes.data + size, bytes.size - size};
    return part;
  };
  if (!queue_.Empty()) queue_.Back().Append(take(std::min(mss_ - queue_.Back().size(), bytes.size)), mss_);
  while (bytes.size != 0) {
    queue_.Push({});
    queue_.Back().Append(take(std::min<size_t>(mss_, bytes.size)), mss_);
  }
}

uint32_t Kcp::Input(Bytes datagram, bool regular, uint32_t now) {
  const uint32_t una_before = snd_una_;
  uint32_t latest = 0;
  bool acked = false;
  uint32_t count = 0;
  while (datagram.size >= SegmentHeader::kSize) {
    const SegmentHeader header = SegmentHeader::Load(datagram.data);
    datagram = {datagram.data + SegmentHeader::kSize, datagram.size - SegmentHeader::kSize};
    if (header.conv != conv_ || header.size > datagram.size) break;
    if (header.command < kKcpPush || header.command > kKcpTell) break;
    if (regular) rmt_wnd_ = header.window;
    // A segment that was acknowledged before, by another copy, says nothing of the time that this one took.
    if (header.command == kKcpAck && Distance(header.sn, una_before) >= 0 && !Acked(header.sn)) {
      acked = true;
      latest = header.ts;
    }
    if (ParseUna(header.una)) wanted_ = Wanted::kFull;
    if (header.command == kKcpAck) {
      if (ParseAck(header, now)) wanted_ = Wanted::kFull;
    } else if (header.command == kKcpPush) {
      ParsePush(header.sn, header.ts, {datagram.data, header.size});
    } else if (header.command == kKcpAsk) {
      probe_ |= kAskTell;
    } else if (asked_) {
      behind_ = Distance(header.una, asked_una_) < 0 ? static_cast<uint8_t>(std::min(behind_ + 1, 2)) : 0;
      asked_ = false;
    }
    datagram = {datagram.data + header.size, datagram.size - header.size};
    count++;
  }
  // The answer to a challenge has a time that was never ours.
  if (acked && regular && now - latest <= kMaxRto) Sample(Distance(now, latest));
  if (congested_ && Distance(snd_una_, una_before) > 0) congestion_.Grow(rmt_wnd_);
  if (wanted_ == Wanted::kNothing && MustTell()) wanted_ = Wanted::kAcks;
  return count;
}

// Frees the segments before `una`. Returns whether there were any.
bool Kcp::ParseUna(uint32_t una) {
  bool any = false;
  while (!sent_.Empty() && Distance(una, sent_.Front().sn) > 0) {
    unsent_bytes_ -= sent_.Front().data.size();
    sent_.Pop();
    any = true;
  }
  if (any) dead_ = false;
  snd_una_ = sent_.Empty() ? snd_nxt_ : sent_.Front().sn;
  return any;
}

bool Kcp::Acked(uint32_t sn) {
  const uint32_t at = sn - snd_una_;
  return at < sent_.size() && sent_[at].acked;
}

// Marks a segment as acknowledged. Its data is freed now, and its place with those before it. Returns whether a segment
// that was passed over must be sent again at once.
bool Kcp::ParseAck(const SegmentHeader& ack, uint32_t now) {
  if (Distance(ack.sn, snd_una_) < 0 || Distance(ack.sn, snd_nxt_) >= 0) return false;
  bool urgent = false;
  const size_t at = ack.sn - snd_una_;
  for (size_t i = 0; i < at; i++) {
    Sent& segment = sent_[i];
    // A segment that was sent again is passed over only by those that were sent after that.
    if (Distance(segment.ts, ack.ts) > (segment.xmit > 1 ? -1 : 0)) continue;
    if (segment.passed_over++ == 0) segment.passed_at = now;
    // Without `resend` each one is urgent: the segment is sent again when nothing new is to be sent.
    if (segment.passed_over >= urgent_) urgent = true;
  }
  Sent& segment = sent_[at];
  if (!segment.acked && segment.ts == ack.ts && Distance(ack.una, segment.sent_una) < 0) lost_ = true;
  segment.acked = true;
  unsent_bytes_ -= segment.data.size();
  segment.data.Free();
  return urgent;
}

void Kcp::ParsePush(uint32_t sn, uint32_t ts, Bytes data) {
  if (Distance(sn, rcv_nxt_ + window_) >= 0) return;
  acks_.Push({sn, ts});
  if (Distance(sn, rcv_nxt_) < 0) return;
  if (sn == rcv_nxt_ && early_count_ == 0 && received_.size() < window_) {
    received_.Push({});
    received_.Back().Append(data, data.size);
    received_bytes_ += data.size;
    rcv_nxt_++;
    return;
  }
  AddEarly(sn, data);
  MoveEarly();
}

void Kcp::AddEarly(uint32_t sn, Bytes data) {
  if (early_ == nullptr) {
    const uint32_t size = PowerOfTwoFrom(window_);
    early_ = std::make_unique<Early[]>(size);
    early_mask_ = size - 1;
  }
  Early& early = early_[sn & early_mask_];
  if (early.present) return;
  early.present = true;
  early.data.Append(data, data.size);
  received_bytes_ += data.size;
  early_count_++;
}

// Moves what came early and is in order now to where it can be read.
void Kcp::MoveEarly() {
  if (early_count_ == 0) return;
  while (early_count_ != 0 && received_.size() < window_) {
    Early& early = early_[rcv_nxt_ & early_mask_];
    if (!early.present) return;
    received_.Push(std::move(early.data));
    early = {};
    early_count_--;
    rcv_nxt_++;
  }
  if (early_count_ == 0) early_.reset();
}

// Estimates the round trip, and the timeout that follows from it (RFC 6298). Requires that `rtt` is not negative.
void Kcp::Sample(int32_t rtt) {
  if (srtt_ == 0) {
    srtt_ = rtt;
    rttvar_ = rtt >> 1;
  } else {
    int32_t delta = rtt - srtt_;
    srtt_ += delta >> 3;
    if (delta < 0) delta = -delta;
    // A sample below what was to be expected weighs an eighth of the others.
    rttvar_ += (delta - rttvar_) >> (rtt < srtt_ - rttvar_ ? 5 : 2);
  }
  const uint32_t rto = static_cast<uint32_t>(srtt_) + std::max(interval_, static_cast<uint32_t>(rttvar_) << 2);
  rto_ = std::min(std::max(no_delay_ ? kMinRtoNoDelay : kMinRto, rto), kMaxRto);
}

// After how many ms the answer of a peer that acknowledges at once is missed; 0 before the first round trip, and for
// others. Unlike the timeout it has no part for acknowledgements that wait.
uint32_t Kcp::Patience() const {
  if (!prompt_ || srtt_ == 0) return 0;
  const uint32_t srtt = static_cast<uint32_t>(srtt_);
  return srtt + std::max({kMinPatience, srtt / 4, static_cast<uint32_t>(rttvar_) << 2});
}

// When a segment is sent again if nothing is heard: the last one earlier, but once.
uint32_t Kcp::ResendAt(size_t at, uint32_t patience) {
  const Sent& segment = sent_[at];
  if (patience == 0 || segment.xmit != 1 || at + 1 != sent_.size()) return segment.resend_at;
  const uint32_t probe_at = segment.ts + patience;
  return Distance(probe_at, segment.resend_at) < 0 ? probe_at : segment.resend_at;
}

void Kcp::Flush(bool full, uint32_t now, KcpOutput* output) {
  Writer writer(mtu_, output);
  SegmentHeader header;
  header.conv = conv_;
  header.command = kKcpAck;
  header.window = FreeWindow();
  header.una = rcv_nxt_;
  wanted_ = Wanted::kNothing;
  FlushAcks(&header, &writer);
  FlushProbes(&header, now, &writer);

  const uint32_t window = Window();
  const uint32_t opened = Open(window);
  Resent resent;
  if (full) {
    header.command = kKcpPush;
    header.fragment = 0;
    for (size_t i = 0; i < sent_.size(); i++) {
      Sent& segment = sent_[i];
      if (segment.acked || !IsDue(i, now, opened != 0, &resent)) continue;
      segment.passed_over = 0;
      segment.resend_at = now + segment.rto;
      segment.ts = now;
      segment.sent_una = snd_una_;
      header.ts = now;
      header.sn = segment.sn;
      header.size = static_cast<uint32_t>(segment.data.size());
      writer.Append(header, {segment.data.data(), segment.data.size()});
      if (++segment.xmit >= dead_link_) dead_ = true;
    }
  }
  if (congested_) congestion_.Flushed(resent.early, resent.late, snd_nxt_ - snd_una_, window, resend_);
  writer.Finish();
}

void Kcp::FlushAcks(SegmentHeader* header, Writer* writer) {
  while (!acks_.Empty()) {
    const Ack ack = acks_.Pop();
    writer->MakeSpace(SegmentHeader::kSize);
    // The last of a run in order is enough, since `una` acknowledges all before it.
    if (Distance(ack.sn, rcv_nxt_) < 0 && !acks_.Empty()) continue;
    header->sn = ack.sn;
    header->ts = ack.ts;
    writer->Append(*header, {});
  }
}

// Asks for the peer's window when it is 0, and tells of ours when the peer has asked.
void Kcp::FlushProbes(SegmentHeader* header, uint32_t now, Writer* writer) {
  if (rmt_wnd_ != 0) {
    probe_at_ = probe_wait_ = 0;
  } else if (probe_wait_ == 0) {
    probe_wait_ = kFirstProbe;
    probe_at_ = now + kFirstProbe;
  } else if (Distance(now, probe_at_) >= 0) {
    probe_wait_ = std::min(probe_wait_ + probe_wait_ / 2, kLongestProbe);
    probe_at_ = now + probe_wait_;
    probe_ |= kAskSend;
  }
  header->fragment = mark_;
  if ((probe_ & kAskSend) != 0) {
    header->command = kKcpAsk;
    writer->Append(*header, {});
  }
  if ((probe_ & kAskTell) != 0) {
    header->command = kKcpTell;
    writer->Append(*header, {});
  }
  probe_ = 0;
}

// Numbers queued segments as far as the window allows, and returns how many.
uint32_t Kcp::Open(uint32_t window) {
  uint32_t opened = 0;
  while (!queue_.Empty() && Distance(snd_nxt_, snd_una_ + window) < 0) {
    sent_.Push({});
    sent_.Back().sn = snd_nxt_++;
    sent_.Back().data = queue_.Pop();
    opened++;
  }
  return opened;
}

// Returns whether the segment must be sent now, and sets its timeout then. `opened`: there are segments that were never
// sent.
bool Kcp::IsDue(size_t at, uint32_t now, bool opened, Resent* resent) {
  Sent& segment = sent_[at];
  if (segment.xmit == 0) {
    segment.rto = rto_;
    return true;
  }
  if (segment.passed_over >= resend_ || (segment.passed_over != 0 && !opened)) {
    segment.rto = rto_;
    resent->early = true;
    return true;
  }
  if (Distance(now, segment.resend_at) >= 0) {
    segment.rto += no_delay_ ? rto_ / 2 : rto_;
    resent->late = true;
    return true;
  }
  return Distance(now, ResendAt(at, Patience())) >= 0;
}

}  // namespace dmicro
