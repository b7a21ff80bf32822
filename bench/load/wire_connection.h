#pragma once

#include <cstdint>
#include <string_view>

#include "connection.h"
#include "fail_reply.h"
#include "send_order.h"

namespace dmicro_bench {

// A connection that speaks `Wire`, one of protocols/.
template <typename Wire>
class WireConnection final : public Connection {
 public:
  WireConnection(const Wire& wire, Run* run, int fd, uint32_t index, uint32_t in_flight)
      : Connection(run, fd, index, in_flight), wire_(wire), order_(Wire::kMayOmitSeq ? in_flight : 0) {}

  void SettleReceived(uint64_t now) override {
    std::string_view rest = received_;
    typename Wire::Reply reply;
    for (;;) {
      const Parse parsed = wire_.Cut(rest, &reply);
      if (parsed == Parse::kPartial) break;
      if (parsed == Parse::kBad) FailReply(index_, "a length in the frame is wrong", rest);
      Settle(reply, rest.substr(0, reply.size), now);
      rest.remove_prefix(reply.size);
    }
    input_.Keep(rest);
  }

 private:
  void Settle(typename Wire::Reply& reply, std::string_view bytes, uint64_t now) {
    int32_t seq;
    const char* problem = wire_.Check(reply, &seq);
    if (problem != nullptr) FailReply(index_, problem, bytes);
    if constexpr (Wire::kMayOmitSeq) {
      if (!reply.has_seq) seq = order_.Take();
    }
    const uint32_t slot = slots_.Find(seq);
    if (slot == Slots::kNone) FailReply(index_, "seq is not outstanding: answered before, or never sent", bytes);
    if (!wire_.IsBody(index_, seq, reply)) FailReply(index_, "body is not the one sent", bytes);
    const uint64_t since = slots_.Close(slot);
    if (!run_->draining) run_->answered++;
    if (run_->open_loop) {
      if (since >= run_->window_begin) run_->latencies.Record(now - since);
      free_slots_.push_back(slot);
      run_->outstanding--;
    } else if (run_->draining) {
      run_->outstanding--;
    } else {
      run_->latencies.Record(now - since);
      QueueCall(slot, now);
    }
  }

  void QueueCall(uint32_t slot, uint64_t since) override {
    const int32_t seq = slots_.Open(slot, since);
    char* frame = output_.Room(wire_.MaxSize());
    output_.Commit(wire_.Build(index_, seq, frame));
    if constexpr (Wire::kMayOmitSeq) order_.Add(seq);
  }

  const Wire& wire_;
  SendOrder order_;
};

}  // namespace dmicro_bench
