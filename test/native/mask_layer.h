#pragma once

#include <algorithm>
#include <string>

#include "layer/layer.h"

namespace dmicro {

// A layer for tests: records of a kind ('d' data, 'p' ping, 'q' pong, 'e' end), a length byte and masked bytes. Not a
// protocol, but with what protocols have: records that are cut anywhere, answers, events, an orderly end, errors.
class MaskLayer final : public Layer {
 public:
  static constexpr int32_t kBadKind = 77;
  static constexpr int32_t kHelloEvent = 5;

  // With `hello`, an event precedes the first byte, and nothing is received before Answer.
  explicit MaskLayer(uint8_t mask, bool hello = false) : mask_(mask), waits_(hello), announces_(hello) {}

  LayerStatus Receive(Bytes* in, uint8_t* to, size_t size, size_t* n, ByteQueue* out) override {
    *n = 0;
    if (announces_) return LayerStatus::kEvent;
    if (waits_) return LayerStatus::kWait;
    while (!failed_) {
      const size_t ready = std::min(size - *n, clear_.size());
      std::copy_n(clear_.begin(), ready, to + *n);
      clear_.erase(0, ready);
      *n += ready;
      if (*n == size) return LayerStatus::kMore;
      if (ended_) return LayerStatus::kEnded;
      record_.append(reinterpret_cast<const char*>(in->data), in->size);
      *in = {in->data + in->size, 0};
      if (record_.size() < 2) return LayerStatus::kMore;
      const char kind = static_cast<char>(record_[0] ^ mask_);
      const size_t length = static_cast<uint8_t>(record_[1]);
      if (kind != 'd' && kind != 'p' && kind != 'q' && kind != 'e') failed_ = true;
      if (failed_) break;
      if (record_.size() < 2 + length) return LayerStatus::kMore;
      if (kind == 'd') {
        for (size_t i = 0; i < length; i++) clear_ += static_cast<char>(record_[2 + i] ^ mask_);
      }
      if (kind == 'p') Put('q', {}, out);
      if (kind == 'q') pongs++;
      if (kind == 'e') ended_ = true;
      record_.erase(0, 2 + length);
    }
    return LayerStatus::kFailed;
  }

  bool Send(Bytes bytes, ByteQueue* out) override {
    for (size_t at = 0; at < bytes.size; at += 200)
      Put('d', {bytes.data + at, std::min<size_t>(200, bytes.size - at)}, out);
    return !failed_;
  }

  void End(ByteQueue* out) override {
    if (!end_sent_) Put('e', {}, out);
    end_sent_ = true;
  }
  bool Ended() const override { return ended_; }
  LayerEvent TakeEvent() override {
    announces_ = false;
    return {kHelloEvent, "hello"};
  }
  int32_t Error() const override { return failed_ ? kBadKind : 0; }

  void Answer() { waits_ = false; }
  void Ping(ByteQueue* out) { Put('p', {}, out); }

  int pongs = 0;

 private:
  void Put(char kind, Bytes bytes, ByteQueue* out) {
    std::string record{static_cast<char>(kind ^ mask_), static_cast<char>(bytes.size)};
    for (size_t i = 0; i < bytes.size; i++) record += static_cast<char>(bytes.data[i] ^ mask_);
    out->Append({reinterpret_cast<const uint8_t*>(record.data()), record.size()});
  }

  const uint8_t mask_;
  bool waits_;
  bool announces_;
  std::string record_;
  std::string clear_;
  bool ended_ = false;
  bool end_sent_ = false;
  bool failed_ = false;
};

}  // namespace dmicro
