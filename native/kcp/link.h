#pragma once

#include "kcp/conversation.h"
#include "kcp/door.h"
#include "layer/layer.h"

namespace dmicro {

// Why a link ended without the agreement of the peer.
enum class LinkFailure : uint8_t {
  kNone,
  kTimedOut,  // the peer is silent, or acknowledges nothing
  kReset,     // the peer knows nothing of the conversation
  kRefused,   // nobody listens there
};

// One session over KCP, without its socket: the conversation, and what belongs to it between two dmicro peers, all of
// which Go ignores (docs/transports.md). It is the lowest layer of a connection. Driven by its owner: datagrams in by
// Take, datagrams out by Turn, which is due at Due. `now` is in ms and does not wrap around.
class KcpLink : public Layer {
 public:
  // The link's role, as its owner must know it.
  struct Role {
    bool dialled;
    bool marked;  // accepted: the peer is a dmicro peer
  };
  // `epoch` is added to the clock in what is sent: how long this process runs is nobody's business.
  KcpLink(uint32_t conv, const KcpSettings& settings, Role role, uint32_t epoch, uint64_t now);

  // Uses a datagram of the peer. Returns whether it was a sign of life.
  bool Take(Bytes datagram, uint64_t now);
  // Sends what is due.
  void Turn(uint64_t now, KcpOutput* output);
  // When Turn must be called again, if nothing else happens; never less than `now`.
  uint64_t Due(uint64_t now);
  // Sends what can be sent at once, and the end: the connection is closed for whatever reason.
  void SendLast(uint64_t now, KcpOutput* output);
  // The system says that nobody listens at the peer's address.
  void Refused(uint64_t now);
  // Drops what was received: nobody reads it any more.
  void DropReceived();

  // The peer has a session. An accepted link is open from the beginning.
  bool Open() const { return open_; }
  // The end was sent, and the peer knows it or need not be waited for.
  bool Finished() const { return finished_; }
  LinkFailure failure() const { return failure_; }
  KcpConversation& conversation() { return conversation_; }
  Kcp& machine() { return conversation_.machine(); }

  // Layer.
  LayerStatus Receive(Bytes* in, uint8_t* to, size_t size, size_t* n, ByteQueue* out) override;
  bool Send(Bytes bytes, ByteQueue* out) override;
  void End(ByteQueue* out) override;
  bool Ended() const override;
  bool Readable() const override { return conversation_.machine().Readable(); }

 protected:
  // Called when there is something to send.
  virtual void OnQueued() {}

 private:
  uint32_t Clock(uint64_t now) const { return static_cast<uint32_t>(now) + epoch_; }
  void KnowPeer();
  void Heard(uint64_t now);
  bool TakeNotice(const SegmentHeader& header, uint64_t now);
  void TakeEnd(const SegmentHeader& header);
  void TakeReset();
  SegmentHeader Header(uint8_t command, uint32_t sn, uint32_t ts) const;
  void SendAnswerAndAsk(uint64_t now, KcpOutput* output);
  void SendSingle(uint8_t command, uint32_t sn, uint32_t ts, KcpOutput* output);
  void Greet(uint64_t now, KcpOutput* output);
  void Flush(uint64_t now, KcpOutput* output);
  void Finish(uint64_t now, KcpOutput* output);
  void KeepAlive(uint64_t now, KcpOutput* output);
  uint64_t Patience() const;
  void Fail(LinkFailure failure);

  KcpConversation conversation_;
  const uint32_t epoch_;
  const bool dialled_;
  bool marked_;
  bool open_;
  bool challenged_ = false;  // the listener has sent a challenge, whose numbers are cookie_sn_ and cookie_ts_
  bool answer_ = false;      // which must be answered at once
  bool ending_ = false;      // this side ends
  bool end_known_ = false;   // the peer has sent its end, whose number is peer_end_
  bool answer_end_ = false;
  bool finished_ = false;
  LinkFailure failure_ = LinkFailure::kNone;
  uint8_t refusals_ = 0;  // since the last sign of life
  uint32_t greetings_ = 0;
  uint32_t front_at_ = 0;  // bytes of the first segment that were read
  uint32_t peer_end_ = 0;
  uint32_t cookie_sn_ = 0, cookie_ts_ = 0;
  uint64_t heard_at_;
  uint64_t greet_at_;      // the next question, or answer, of a link that is not open
  uint64_t unsent_since_;  // the first flush since which there was always something to acknowledge
  uint64_t ask_at_ = 0;    // the next question, 0 when the peer is not asked
  uint32_t asks_ = 0;      // questions since the last sign of life
  uint64_t end_since_ = 0, end_at_ = 0, end_wait_ = 0;
};

}  // namespace dmicro
