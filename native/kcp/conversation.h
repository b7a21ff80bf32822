#pragma once

#include <memory>

#include "kcp/fec.h"
#include "kcp/kcp.h"

namespace dmicro {

// One end of a conversation with its forward error correction: datagrams in and out.
class KcpConversation final : private KcpOutput {
 public:
  // Bytes of the largest datagram that it sends.
  static size_t Largest(const KcpSettings& settings) { return kFecHeader + settings.mtu; }

  KcpConversation(uint32_t conv, const KcpSettings& settings);
  KcpConversation(const KcpConversation&) = delete;
  KcpConversation& operator=(const KcpConversation&) = delete;

  // Uses a datagram. Returns the number of good segments in it and in what it repaired.
  uint32_t Receive(Bytes datagram, uint32_t now);
  // Flushes as Kcp::Flush does, with headers and parity.
  void Flush(bool full, uint32_t now, KcpOutput* output);
  // Frees what is kept for repairs; called when nothing was received for long.
  void Forget() { decoder_.reset(); }
  bool RepairOff() const { return repair_off_; }

  Kcp& machine() { return machine_; }
  const Kcp& machine() const { return machine_; }

 private:
  uint8_t* Begin(size_t most) override;
  void Commit(size_t size) override;

  const uint32_t fec_data_, fec_parity_;
  Kcp machine_;
  std::unique_ptr<FecEncoder> encoder_;  // null when nothing was sent yet, or without FEC
  std::unique_ptr<FecDecoder> decoder_;  // null when no shard was received yet
  bool repair_off_ = false;
  KcpOutput* output_ = nullptr;  // during Flush
  uint32_t now_ = 0;
  uint8_t* datagram_ = nullptr;
};

}  // namespace dmicro
