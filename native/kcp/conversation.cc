#include "kcp/conversation.h"

namespace dmicro {

KcpConversation::KcpConversation(uint32_t conv, const KcpSettings& settings)
    : fec_data_(settings.fec_data), fec_parity_(settings.fec_parity), machine_(conv, settings) {}

uint32_t KcpConversation::Receive(Bytes datagram, uint32_t now) {
  if (datagram.size < SegmentHeader::kSize || datagram.size > kMaxDatagram) return 0;
  if (!HasFecHeader(datagram.data)) return machine_.Input(datagram, true, now);
  uint32_t count = 0;
  if (datagram.data[4] == kFecData)
    count = machine_.Input({datagram.data + kFecHeader, datagram.size - kFecHeader}, true, now);
  if (repair_off_) return count;
  if (decoder_ == nullptr) {
    const KcpSettings usual;
    decoder_ = std::make_unique<FecDecoder>(fec_data_ != 0 ? fec_data_ : usual.fec_data,
                                            fec_parity_ != 0 ? fec_parity_ : usual.fec_parity);
  }
  decoder_->Take(datagram, [&](Bytes shard) {
    const uint32_t size = LoadLittle16(shard.data);
    if (size >= 2 && size <= shard.size) count += machine_.Input({shard.data + 2, size - 2}, false, now);
  });
  if (decoder_->Off()) {
    repair_off_ = true;
    decoder_.reset();
  }
  return count;
}

void KcpConversation::Flush(bool full, uint32_t now, KcpOutput* output) {
  output_ = output;
  now_ = now;
  machine_.Flush(full, now, this);
}

uint8_t* KcpConversation::Begin(size_t most) {
  if (fec_data_ == 0) return output_->Begin(most);
  datagram_ = output_->Begin(kFecHeader + most);
  return datagram_ + kFecHeader;
}

void KcpConversation::Commit(size_t size) {
  if (fec_data_ == 0) {
    output_->Commit(size);
    return;
  }
  if (encoder_ == nullptr) encoder_ = std::make_unique<FecEncoder>(fec_data_, fec_parity_);
  encoder_->Seal(datagram_, kFecHeader + size, now_);
  output_->Commit(kFecHeader + size);
  while (encoder_->HasParity()) {
    const size_t parity = encoder_->ParitySize();
    encoder_->TakeParity(output_->Begin(parity));
    output_->Commit(parity);
  }
}

}  // namespace dmicro
