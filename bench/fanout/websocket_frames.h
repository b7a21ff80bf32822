#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dmicro_bench {

// Reads a server's WebSocket frames (RFC 6455 §5.2) from bytes that come in any pieces, and steps over what is long.
class WebSocketFrames {
 public:
  enum Opcode : uint8_t { kText = 1, kClose = 8, kPing = 9, kPong = 10 };

  // Consumes bytes up to the end of one frame. False when they end before.
  bool Next(std::string_view* bytes);
  // Of the frame that Next() ended.
  uint8_t FrameOpcode() const { return static_cast<uint8_t>(header_[0]) & 15; }
  // Its payload; of a longer one the first 125 bytes, the most that a control frame has.
  const std::string& Start() const { return start_; }

  // A client's frame, with a mask of zeros. At most 125 bytes.
  static void Append(uint8_t opcode, std::string_view payload, std::string* out);

 private:
  bool TakeHeader(std::string_view* bytes);

  std::string header_;
  std::string start_;
  uint64_t left_ = 0;  // of the payload
  bool in_payload_ = false;
};

}  // namespace dmicro_bench
