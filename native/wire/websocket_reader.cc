#include "wire/websocket_reader.h"

#include <algorithm>

namespace dmicro {
namespace {

constexpr uint8_t kReserved = 0x70;
constexpr uint8_t kMaskBit = 0x80;

// Size of the header that begins with these two bytes.
size_t HeaderSize(uint8_t second) {
  const uint8_t length = second & 0x7f;
  return 2 + (length == 127 ? 8 : length == 126 ? 2 : 0) + ((second & kMaskBit) != 0 ? kWsMask : 0);
}

}  // namespace

WebSocketReader::Event WebSocketReader::Read(uint8_t** at, uint8_t* end, uint8_t** out, const WsLimits& limits) {
  DMICRO_ASSERT(*out <= *at && *at <= end);
  if (control_ != nullptr && !in_frame_) {
    control_.reset();
    control_size_ = 0;
  }
  for (;;) {
    if (!in_frame_) {
      // Two bytes tell the size of the header.
      size_t wanted = header_size_ < 2 ? 2 : HeaderSize(header_[1]);
      while (*at != end && header_size_ < wanted) {
        header_[header_size_++] = *(*at)++;
        if (header_size_ == 2) wanted = HeaderSize(header_[1]);
      }
      if (header_size_ < wanted) return Event::kMore;
      header_size_ = 0;
      if (ReadHeader(limits) == Event::kBad) return Event::kBad;
    }
    if (IsControl()) return ReadControl(at, end);
    const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, static_cast<uint64_t>(end - *at)));
    if (masked_) {
      ApplyWsMask(*out, *at, size, mask_, phase_);
      phase_ = static_cast<uint8_t>((phase_ + size) % kWsMask);
    } else if (size != 0 && *out != *at) {
      std::memmove(*out, *at, size);
    }
    if (text_ && !compressed_ && !utf8_.Add({*out, size})) return Fail(kWsNotText);
    *at += size;
    *out += size;
    left_ -= size;
    if (left_ != 0) return Event::kMore;
    in_frame_ = false;
    if (!final_) continue;
    in_message_ = false;
    if (text_ && !compressed_ && !utf8_.Finish()) return Fail(kWsNotText);
    return Event::kMessage;
  }
}

WebSocketReader::Event WebSocketReader::Fail(uint16_t code) {
  close_code_ = code;
  return Event::kBad;
}

// Reads the complete header in header_. Returns kMore, or kBad.
WebSocketReader::Event WebSocketReader::ReadHeader(const WsLimits& limits) {
  const uint8_t first = header_[0];
  const uint8_t length = header_[1] & 0x7f;
  masked_ = (header_[1] & kMaskBit) != 0;
  opcode_ = first & 0x0f;
  final_ = (first & kWsFin) != 0;
  left_ = length;
  const uint8_t* next = header_ + 2;
  if (length == 126) {
    left_ = static_cast<uint64_t>(next[0]) << 8 | next[1];
    next += 2;
  } else if (length == 127) {
    left_ = static_cast<uint64_t>(LoadBig32(next)) << 32 | LoadBig32(next + 4);
    next += 8;
  }
  if (masked_) std::memcpy(mask_, next, kWsMask);
  phase_ = 0;
  const uint8_t reserved = first & kReserved;
  if (masked_ != limits.masked) return Fail(kWsProtocolError);
  if (IsControl()) {
    const bool known = opcode_ <= static_cast<uint8_t>(WsOpcode::kPong);
    if (!known || reserved != 0 || !final_ || left_ > kMaxWsControl) return Fail(kWsProtocolError);
  } else {
    const bool begins = opcode_ != static_cast<uint8_t>(WsOpcode::kContinuation);
    if (opcode_ > static_cast<uint8_t>(WsOpcode::kBinary) || begins == in_message_) return Fail(kWsProtocolError);
    if (reserved != 0 && (reserved != kWsCompressed || !begins || !limits.compression)) return Fail(kWsProtocolError);
    if (begins) {
      text_ = opcode_ == static_cast<uint8_t>(WsOpcode::kText);
      compressed_ = reserved != 0;
      message_ = 0;
      fragments_ = 0;
    }
    if ((left_ >> 63) != 0) return Fail(kWsProtocolError);
    if (left_ > limits.max_message || message_ + left_ > limits.max_message) return Fail(kWsTooLarge);
    if (++fragments_ > kMaxFragments) return Fail(kWsPolicy);
    message_ += left_;
    in_message_ = true;
  }
  in_frame_ = true;
  return Event::kMore;
}

WebSocketReader::Event WebSocketReader::ReadControl(uint8_t** at, uint8_t* end) {
  if (control_ == nullptr) {
    control_.reset(new uint8_t[kMaxWsControl]);
    control_size_ = 0;
  }
  const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, static_cast<uint64_t>(end - *at)));
  uint8_t* const to = control_.get() + control_size_;
  if (size != 0) std::memcpy(to, *at, size);
  if (masked_) {
    ApplyWsMask(to, to, size, mask_, phase_);
    phase_ = static_cast<uint8_t>((phase_ + size) % kWsMask);
  }
  control_size_ = static_cast<uint8_t>(control_size_ + size);
  *at += size;
  left_ -= size;
  if (left_ != 0) return Event::kMore;
  in_frame_ = false;
  return FinishControl();
}

WebSocketReader::Event WebSocketReader::FinishControl() {
  if (opcode_ == static_cast<uint8_t>(WsOpcode::kPing)) return Event::kPing;
  if (opcode_ == static_cast<uint8_t>(WsOpcode::kPong)) return Event::kPong;
  close_code_ = kWsNoCode;
  if (control_size_ == 0) return Event::kClose;
  if (control_size_ == 1) return Fail(kWsProtocolError);
  const uint16_t code = static_cast<uint16_t>(control_[0] << 8 | control_[1]);
  if (!IsWsCloseCode(code)) return Fail(kWsProtocolError);
  Utf8Check reason;
  if (!reason.Add({control_.get() + 2, control_size_ - 2u}) || !reason.Finish()) return Fail(kWsNotText);
  close_code_ = code;
  return Event::kClose;
}

}  // namespace dmicro
