#include "kcp/link.h"

#include <algorithm>

namespace dmicro {
namespace {

// All in ms: how long the end of a closed connection is repeated; how long the peer may be silent before it is asked,
// by the side that dialled and by the other; how often it is asked, and for how long, which is also how long a dead
// link is borne.
constexpr uint64_t kLinger = 2000;
constexpr uint64_t kIdleDialled = 25'000, kIdleAccepted = 60'000;
constexpr uint64_t kAskEvery = 2000, kUnanswered = 10'000;
constexpr uint32_t kQuestions = kUnanswered / kAskEvery;
// Between the first greetings, which double up to the other.
constexpr uint64_t kGreetFirst = 200, kGreetLongest = 1000;
// Answers to a challenge that are sent before the dial begins anew.
constexpr uint32_t kMaxAnswers = 5;
constexpr uint8_t kMaxRefusals = 3;
constexpr uint64_t kNever = UINT64_MAX;

}  // namespace

KcpLink::KcpLink(uint32_t conv, const KcpSettings& settings, Role role, uint32_t epoch, uint64_t now)
    : conversation_(conv, settings),
      epoch_(epoch),
      dialled_(role.dialled),
      marked_(role.marked),
      open_(!role.dialled),
      heard_at_(now),
      greet_at_(role.dialled ? now : kNever),
      unsent_since_(kNever) {
  machine().SetMark(kKcpMark);
  if (marked_) KnowPeer();
}

// The peer is a dmicro peer.
void KcpLink::KnowPeer() {
  marked_ = true;
  machine().SetPrompt();
}

bool KcpLink::Take(Bytes datagram, uint64_t now) {
  if (datagram.size == SegmentHeader::kSize && !HasFecHeader(datagram.data)) {
    const SegmentHeader header = SegmentHeader::Load(datagram.data);
    if (header.conv != machine().conv()) return false;
    if (TakeNotice(header, now)) return true;
    if (header.command >= kKcpEnd || (dialled_ && IsChallenge(header))) return false;
    if (header.command == kKcpTell && header.fragment == kKcpMark) KnowPeer();
  }
  const size_t unsent = machine().Unsent();
  if (conversation_.Receive(datagram, Clock(now)) == 0) return false;
  if (end_since_ != 0 && machine().Unsent() < unsent) end_since_ = now;  // it goes on
  Heard(now);
  open_ = true;
  greet_at_ = kNever;
  if (machine().Lost()) Fail(LinkFailure::kReset);
  return true;
}

// Notes a sign of life.
void KcpLink::Heard(uint64_t now) {
  heard_at_ = now;
  ask_at_ = 0;
  asks_ = 0;
  refusals_ = 0;
}

// Takes a segment that is not the machine's. Returns whether it was a sign of life.
bool KcpLink::TakeNotice(const SegmentHeader& header, uint64_t now) {
  if (header.command == kKcpEnd) {
    const int32_t ahead = Distance(header.sn, machine().rcv_nxt());
    if (ahead < 0 || static_cast<uint32_t>(ahead) > machine().window()) return false;
    TakeEnd(header);
  } else if (header.command == kKcpReset) {
    TakeReset();
    return false;
  } else if (dialled_ && IsChallenge(header)) {
    // A challenge comes again when the answer was lost. With the answer the listener opens its session.
    KnowPeer();
    challenged_ = answer_ = true;
    cookie_sn_ = header.sn;
    cookie_ts_ = header.ts;
  } else {
    return false;
  }
  Heard(now);
  return true;
}

void KcpLink::TakeEnd(const SegmentHeader& header) {
  KnowPeer();
  open_ = true;
  greet_at_ = kNever;
  machine().Acknowledge(header.una);
  answer_end_ = ending_;  // the end of a side that has not ended is sent when its connection is closed
  if (end_known_) return;
  end_known_ = true;
  peer_end_ = header.sn;
}

void KcpLink::TakeReset() {
  if (ending_) {
    finished_ = true;
  } else if (!open_) {
    Fail(LinkFailure::kRefused);
  } else {
    Fail(LinkFailure::kReset);
  }
}

void KcpLink::Refused(uint64_t now) {
  if (!open_) {
    Fail(LinkFailure::kRefused);
  } else if (++refusals_ >= kMaxRefusals) {
    Fail(LinkFailure::kReset);
  } else {
    ask_at_ = now;
  }
}

void KcpLink::Fail(LinkFailure failure) {
  if (failure_ == LinkFailure::kNone) failure_ = failure;
}

SegmentHeader KcpLink::Header(uint8_t command, uint32_t sn, uint32_t ts) const {
  const Kcp& machine = conversation_.machine();
  SegmentHeader header;
  header.conv = machine.conv();
  header.command = command;
  header.fragment = kKcpMark;
  header.window = machine.FreeWindow();
  header.ts = ts;
  header.sn = sn;
  header.una = machine.rcv_nxt();
  return header;
}

void KcpLink::SendSingle(uint8_t command, uint32_t sn, uint32_t ts, KcpOutput* output) {
  Header(command, sn, ts).Store(output->Begin(SegmentHeader::kSize));
  output->Commit(SegmentHeader::kSize);
}

// Asks whether somebody listens there, or answers the listener's challenge and asks for its window, which a session
// alone tells.
void KcpLink::Greet(uint64_t now, KcpOutput* output) {
  if (answer_) {
    greetings_ = 0;
  } else if (now < greet_at_) {
    return;
  }
  if (challenged_) {
    SendSingle(kKcpAck, cookie_sn_, cookie_ts_, output);
    if (!open_) SendAnswerAndAsk(now, output);
    challenged_ = greetings_ < kMaxAnswers;
  } else {
    SendSingle(kKcpAsk, 0, Clock(now), output);
  }
  answer_ = false;
  greet_at_ = open_ ? kNever : now + std::min(kGreetFirst << std::min(greetings_, 3u), kGreetLongest);
  greetings_++;
}

// The answer once more, with a question in the same datagram, so that the question does not overtake it.
void KcpLink::SendAnswerAndAsk(uint64_t now, KcpOutput* output) {
  SegmentHeader header = Header(kKcpAck, cookie_sn_, cookie_ts_);
  uint8_t* const datagram = output->Begin(2 * SegmentHeader::kSize);
  header.Store(datagram);
  header = Header(kKcpAsk, 1, Clock(now));
  header.Store(datagram + SegmentHeader::kSize);
  output->Commit(2 * SegmentHeader::kSize);
}

void KcpLink::Turn(uint64_t now, KcpOutput* output) {
  if (failure_ != LinkFailure::kNone) return;
  Greet(now, output);
  if (!open_) return;
  Flush(now, output);
  if (answer_end_ || ending_) Finish(now, output);
  KeepAlive(now, output);
}

void KcpLink::Flush(uint64_t now, KcpOutput* output) {
  Kcp& kcp = machine();
  const uint32_t clock = Clock(now);
  if (kcp.wanted() == Kcp::Wanted::kFull || kcp.MaySend() || kcp.Due(clock) == 0) {
    do {
      conversation_.Flush(true, clock, output);
    } while (kcp.MaySend());  // the first flush opens the congestion window
  } else if (kcp.MustTell()) {
    conversation_.Flush(false, clock, output);
  }
  if (kcp.Unsent() == 0) {
    unsent_since_ = kNever;
    return;
  }
  if (unsent_since_ == kNever) unsent_since_ = now;
  // A segment may be sent often because this process, or the peer's, has little time: then others arrive. Nobody was to
  // answer before there was something to acknowledge. A process that was stopped runs its timers before it reads what
  // has come: the peer is asked first, and has until the next question.
  const uint64_t silence = now - std::max(heard_at_, unsent_since_);
  if (!kcp.Dead() || silence + kAskEvery < kUnanswered) return;
  if (ask_at_ == 0) ask_at_ = now;
  if (asks_ != 0 && silence >= kUnanswered && now >= ask_at_) Fail(LinkFailure::kTimedOut);
}

// Says that nothing follows, as soon as all has a number; to a peer that does not know what that means, when all is
// acknowledged.
void KcpLink::Finish(uint64_t now, KcpOutput* output) {
  Kcp& kcp = machine();
  if (!kcp.AllNumbered() || (!marked_ && kcp.Unsent() != 0)) return;
  if (answer_end_ || end_wait_ == 0 || now >= end_at_) {
    if (end_since_ == 0) end_since_ = now;
    end_wait_ += kcp.rto();
    end_at_ = now + end_wait_;
    answer_end_ = false;
    SendSingle(kKcpEnd, kcp.snd_nxt(), Clock(now), output);
  }
  const bool known = kcp.Unsent() == 0 && (!marked_ || end_known_);
  if (!known && now - end_since_ < kLinger) return;
  finished_ = true;
  // A peer that did not take all gets to no end: it is told that nobody is here any more.
  if (kcp.Unsent() != 0) SendSingle(kKcpReset, kcp.snd_nxt(), Clock(now), output);
}

void KcpLink::SendLast(uint64_t now, KcpOutput* output) {
  if (failure_ != LinkFailure::kNone || !open_) return;
  Flush(now, output);
  SendSingle(kKcpEnd, machine().snd_nxt(), Clock(now), output);
  // A peer that does not read gets to no end, and one whose bytes nobody reads waits for that: it is told that nobody
  // is here any more.
  if (!machine().AllNumbered() || machine().Readable()) SendSingle(kKcpReset, machine().snd_nxt(), Clock(now), output);
}

uint64_t KcpLink::Patience() const { return dialled_ ? kIdleDialled : kIdleAccepted; }

// Asks a silent peer whether it is there. The number is not 0, so that no listener takes it for a new one. However long
// this process was stopped, no peer is given up that was not asked so often.
void KcpLink::KeepAlive(uint64_t now, KcpOutput* output) {
  const uint64_t silence = now - heard_at_;
  if (ask_at_ == 0 && silence >= Patience()) {
    ask_at_ = now;
    conversation_.Forget();
  }
  if (ask_at_ == 0 || now < ask_at_) return;
  if (silence >= Patience() + kUnanswered && asks_ >= kQuestions) {
    Fail(LinkFailure::kTimedOut);
    return;
  }
  ask_at_ = now + kAskEvery;
  asks_++;
  machine().ExpectTell();
  SendSingle(kKcpAsk, 1, Clock(now), output);
}

uint64_t KcpLink::Due(uint64_t now) {
  if (failure_ != LinkFailure::kNone || finished_) return now;
  uint64_t due = std::min(greet_at_, answer_ ? now : kNever);
  if (!open_) return std::max(due, now);
  const uint32_t machine_due = machine().Due(Clock(now));
  if (machine_due != UINT32_MAX) due = std::min(due, now + machine_due);
  if (ending_ && end_wait_ != 0) due = std::min({due, end_at_, end_since_ + kLinger});
  due = std::min(due, ask_at_ != 0 ? ask_at_ : heard_at_ + Patience());
  return std::max(due, now);
}

void KcpLink::DropReceived() {
  while (machine().Readable()) machine().PopFront();
  front_at_ = 0;
}

LayerStatus KcpLink::Receive(Bytes*, uint8_t* to, size_t size, size_t* n, ByteQueue*) {
  Kcp& kcp = machine();
  *n = 0;
  while (*n < size && kcp.Readable()) {
    const Bytes front = kcp.Front();
    const size_t part = std::min(front.size - front_at_, size - *n);
    StoreBytes(to + *n, {front.data + front_at_, part});
    *n += part;
    front_at_ += static_cast<uint32_t>(part);
    if (front_at_ != front.size) break;
    front_at_ = 0;
    kcp.PopFront();
  }
  if (kcp.MustTell()) OnQueued();
  return LayerStatus::kMore;
}

bool KcpLink::Send(Bytes bytes, ByteQueue*) {
  if (ending_) return true;
  machine().Send(bytes);
  OnQueued();
  return true;
}

void KcpLink::End(ByteQueue*) {
  ending_ = true;
  OnQueued();
}

bool KcpLink::Ended() const {
  const Kcp& kcp = conversation_.machine();
  return end_known_ && kcp.rcv_nxt() == peer_end_ && !kcp.Readable();
}

}  // namespace dmicro
