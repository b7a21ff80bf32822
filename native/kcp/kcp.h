#pragma once

#include <cstdint>
#include <memory>

#include "kcp/congestion.h"
#include "kcp/ring.h"
#include "kcp/segment.h"

namespace dmicro {

// Options of one conversation. src/transports/kcp-options.ts has their meaning, defaults and bounds.
struct KcpSettings {
  uint32_t fec_data = 10, fec_parity = 3;  // 0: no datagrams that repair others
  bool no_delay = false;
  uint32_t interval = 100;  // ms
  uint32_t resend = 0;      // acknowledgements of later segments after which one is sent again; 0: not for those
  bool congestion = true;
  uint32_t window = 32;  // segments, in each direction
  uint32_t mtu = 1400;   // bytes of segments in one datagram
  uint32_t dead_link = 20;
};

// Receiver of what a conversation sends.
class KcpOutput {
 public:
  // Returns memory for one datagram of at most `most` bytes.
  virtual uint8_t* Begin(size_t most) = 0;
  // Takes the datagram that was written there.
  virtual void Commit(size_t size) = 0;

 protected:
  ~KcpOutput() = default;
};

// One end of a conversation: a stream of bytes, cut into numbered segments that are sent again until the peer has
// acknowledged them. The twin in src/wire/kcp sends the same bytes for the same calls. Neither knows a clock or a
// socket: `now` is a number of milliseconds that may wrap around.
//
// The format, windows and the questions about one of 0, the congestion window, and timeouts and their growth are those
// of kcp-go in stream mode. These are dmicro's own:
// - it is flushed by its caller alone, when something is wanted or due, not at intervals
// - only the first acknowledgement of a segment is a round trip
// - a segment that was passed over is sent again at once each time that happens, not the first time only, and with
//   nothing new to send after a quarter of a round trip at the latest
// - what is sent last is probed for once before its timeout, where the peer acknowledges at once
// - a peer that has lost its state is noticed
//
// A peer chooses all bytes that are received. Memory is bounded by the window; only what this side sends is not.
class Kcp {
 public:
  Kcp(uint32_t conv, const KcpSettings& settings);

  // Uses the segments of a datagram up to the first bad one, and returns their number. `regular`: it was received
  // itself, not repaired from others.
  uint32_t Input(Bytes datagram, bool regular, uint32_t now);
  // Queues bytes to send.
  void Send(Bytes bytes);
  // Sends what may be sent now, or acknowledgements and windows alone.
  void Flush(bool full, uint32_t now, KcpOutput* output);

  // The first segment that was received and is not read yet.
  bool Readable() const { return !received_.Empty(); }
  Bytes Front() { return {received_.Front().data(), received_.Front().size()}; }
  void PopFront();

  // The flush that received segments ask for since the last one.
  enum class Wanted : uint8_t { kNothing, kAcks, kFull };
  Wanted wanted() const { return wanted_; }
  // Whether acknowledgements or windows wait to be sent.
  bool MustTell() const { return !acks_.Empty() || probe_ != 0; }
  // Whether bytes wait that were never sent, and may be sent now.
  bool MaySend() const;
  // After how many ms something must be sent again; UINT32_MAX for never.
  uint32_t Due(uint32_t now);

  // Tells the peer the window with the next flush, or asks for its window.
  void Tell() { probe_ |= kAskTell; }
  void Ask() { probe_ |= kAskSend; }
  // Compares the next answer with what is acknowledged now. Called when the session sends a question of its own.
  void ExpectTell();
  // Sets the `fragment` of segments that ask for and tell windows, by which dmicro peers recognise each other.
  void SetMark(uint8_t mark) { mark_ = mark; }
  // Numbers segments from `sn` on, in both directions. Requires that none was sent or received.
  void BeginAt(uint32_t sn) { snd_una_ = snd_nxt_ = rcv_nxt_ = sn; }
  // The peer acknowledges at once, as dmicro's do and Go's do not: what is sent last is probed for from now on.
  void SetPrompt() { prompt_ = true; }
  // Frees what a segment that is not for Input has acknowledged.
  void Acknowledge(uint32_t una) { ParseUna(una); }

  uint32_t conv() const { return conv_; }
  uint32_t mtu() const { return mtu_; }
  uint32_t window() const { return window_; }
  uint32_t snd_una() const { return snd_una_; }
  uint32_t snd_nxt() const { return snd_nxt_; }
  uint32_t rcv_nxt() const { return rcv_nxt_; }
  uint32_t peer_window() const { return rmt_wnd_; }
  uint32_t cwnd() const { return congestion_.size(); }
  uint32_t rto() const { return rto_; }
  int32_t srtt() const { return srtt_; }
  uint16_t FreeWindow() const;
  // Number of segments that the peer has not acknowledged, and their bytes.
  size_t Unsent() const { return queue_.size() + sent_.size(); }
  // Whether all bytes are in segments that were sent at least once.
  bool AllNumbered() const { return queue_.Empty(); }
  size_t UnsentBytes() const { return unsent_bytes_; }
  size_t Received() const { return received_.size(); }
  // Bytes of data that were taken, also before their turn; none is counted twice.
  uint64_t ReceivedBytes() const { return received_bytes_; }
  // A segment was sent as often as the settings allow, and none was removed since.
  bool Dead() const { return dead_; }
  // The peer has forgotten what it had acknowledged: it has started again.
  bool Lost() const { return lost_ || behind_ >= 2; }

 private:
  struct Sent {
    uint32_t sn = 0;
    uint32_t ts = 0;
    uint32_t rto = 0;
    uint32_t xmit = 0;  // how often it was sent
    uint32_t resend_at = 0;
    uint32_t passed_over = 0;  // acknowledgements of later segments since it was sent
    uint32_t passed_at = 0;    // when the first of them came
    uint32_t sent_una = 0;     // snd_una_ when it was sent
    bool acked = false;
    SegmentData data;
  };
  struct Ack {
    uint32_t sn, ts;
  };
  // A segment that came before its turn.
  struct Early {
    bool present = false;
    SegmentData data;
  };
  // Whether segments were sent again because later ones were acknowledged, or because their time was over.
  struct Resent {
    bool early = false, late = false;
  };
  class Writer;

  static constexpr uint32_t kAskSend = 1, kAskTell = 2;

  uint32_t Window() const;
  bool ParseUna(uint32_t una);
  bool Acked(uint32_t sn);
  bool ParseAck(const SegmentHeader& ack, uint32_t now);
  void ParsePush(uint32_t sn, uint32_t ts, Bytes data);
  void AddEarly(uint32_t sn, Bytes data);
  void MoveEarly();
  void Sample(int32_t rtt);
  uint32_t Patience() const;
  uint32_t ResendAt(size_t at, uint32_t patience);
  void FlushAcks(SegmentHeader* header, Writer* writer);
  void FlushProbes(SegmentHeader* header, uint32_t now, Writer* writer);
  uint32_t Open(uint32_t window);
  bool IsDue(size_t at, uint32_t now, bool opened, Resent* resent);

  const uint32_t conv_;
  const uint32_t mtu_, mss_;
  const uint32_t window_;
  const uint32_t interval_;
  const uint32_t urgent_;  // acknowledgements of later segments after which a segment asks for a flush
  const uint32_t resend_;  // and after which it is sent again; UINT32_MAX: never
  const uint32_t dead_link_;
  const bool no_delay_;
  const bool congested_;
  Wanted wanted_ = Wanted::kNothing;
  uint8_t mark_ = 0;
  bool prompt_ = false;
  bool dead_ = false;
  bool lost_ = false;
  bool asked_ = false;  // asked_una_ is set
  uint8_t behind_ = 0;
  uint32_t asked_una_ = 0;
  uint32_t snd_una_ = 0, snd_nxt_ = 0, rcv_nxt_ = 0;
  int32_t rttvar_ = 0, srtt_ = 0;
  uint32_t rto_ = 200;
  uint32_t rmt_wnd_ = 32;
  uint32_t probe_ = 0, probe_at_ = 0, probe_wait_ = 0;
  CongestionWindow congestion_;
  Ring<SegmentData> queue_;  // never sent
  Ring<Sent> sent_;          // from snd_una_ to snd_nxt_
  size_t unsent_bytes_ = 0;
  Ring<SegmentData> received_;  // in order
  uint64_t received_bytes_ = 0;
  Ring<Ack> acks_;
  std::unique_ptr<Early[]> early_;  // by number; null while nothing came early
  uint32_t early_mask_ = 0;
  uint32_t early_count_ = 0;
};

}  // namespace dmicro
