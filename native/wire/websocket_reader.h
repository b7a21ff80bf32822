#pragma once

#include <memory>

#include "wire/utf8.h"
#include "wire/websocket_frame.h"

namespace dmicro {

// Limits of the frames that a peer may send.
struct WsLimits {
  bool masked = true;        // whether frames must be masked, as those of a client; otherwise they must not be
  bool compression = false;  // whether permessage-deflate was agreed on
  uint64_t max_message = 0;  // bytes of all fragments of one message
};

// Reads the frames of one connection. The payload of messages is moved to the front of the bytes that were received,
// where it always fits, because a frame is longer than its payload. No message is kept here, however many fragments it
// has: memory is at most that of one control frame.
class WebSocketReader {
 public:
  // Most fragments of one message: each costs time, though none costs memory.
  static constexpr uint32_t kMaxFragments = 131'072;

  enum class Event : uint8_t {
    kMore,     // all bytes are used up
    kMessage,  // a message ends with the payload so far
    kPing,     // control() is the payload to answer with
    kPong,
    kClose,  // close_code() is that of the peer
    kBad,    // close_code() is the one to answer with
  };

  // Uses up bytes of [*at, end), moves payload to *out, and advances both, up to the first event. Requires *out <= *at;
  // both may only be moved towards the end between two calls that continue the same bytes. Must not be called again
  // after kClose or kBad.
  Event Read(uint8_t** at, uint8_t* end, uint8_t** out, const WsLimits& limits);

  // Payload of the control frame that was just reported, until the next call of Read.
  Bytes control() const { return {control_.get(), control_size_}; }
  uint16_t close_code() const { return close_code_; }
  // Whether the message that is read, or was just reported, is text, and whether it is compressed. The text of a
  // compressed message is not checked here.
  bool text() const { return text_; }
  bool compressed() const { return compressed_; }
  // Whether a frame or a message was begun.
  bool unfinished() const { return header_size_ != 0 || in_frame_ || in_message_; }

 private:
  Event Fail(uint16_t code);
  Event ReadHeader(const WsLimits& limits);
  Event ReadControl(uint8_t** at, uint8_t* end);
  Event FinishControl();
  bool IsControl() const { return opcode_ >= static_cast<uint8_t>(WsOpcode::kClose); }

  std::unique_ptr<uint8_t[]> control_;
  uint64_t left_ = 0;       // payload bytes of the current frame that are missing
  uint64_t message_ = 0;    // payload bytes of the current message, with those that are announced
  uint32_t fragments_ = 0;  // frames of the current message
  uint16_t close_code_ = 0;
  uint8_t header_[kMaxWsHeader];
  uint8_t header_size_ = 0;  // bytes of an unfinished header
  uint8_t mask_[kWsMask];
  uint8_t phase_ = 0;  // place of the next byte in the mask
  uint8_t opcode_ = 0;
  uint8_t control_size_ = 0;
  bool in_frame_ = false;
  bool in_message_ = false;
  bool final_ = false;
  bool masked_ = false;
  bool text_ = false;
  bool compressed_ = false;
  Utf8Check utf8_;
};

}  // namespace dmicro
