#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "message.h"
#include "wire/websocket_reader.h"

namespace dmicro {

inline constexpr uint8_t kTestMask[kWsMask] = {0x37, 0xfa, 0x21, 0x3d};

// One frame as a peer writes it, with any bits.
inline std::string WsFrame(uint8_t first, std::string_view payload, bool masked = true) {
  std::string bytes(kMaxWsHeader + payload.size(), '\0');
  uint8_t* const start = reinterpret_cast<uint8_t*>(bytes.data());
  uint8_t* const head = PackWsHeader(start, WsOpcode::kBinary, payload.size(), masked ? kTestMask : nullptr);
  start[0] = first;
  StoreBytes(head, {reinterpret_cast<const uint8_t*>(payload.data()), payload.size()});
  if (masked) ApplyWsMask(head, head, payload.size(), kTestMask);
  bytes.resize(static_cast<size_t>(head - start) + payload.size());
  return bytes;
}
inline std::string WsText(std::string_view payload) { return WsFrame(0x81, payload); }
inline std::string WsCloseWith(uint16_t code, std::string_view reason = "") {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code)};
  return WsFrame(0x88, payload.append(reason));
}

// Reads what a peer sends, in memory of the exact size, so that a sanitizer sees each byte read or written outside.
struct WsEcho {
  explicit WsEcho(WsLimits ws_limits = {true, false, 16 * 1024 * 1024}) : limits(ws_limits) {}

  // Reads at most `chunk` bytes at a time.
  void Feed(std::string_view bytes, size_t chunk = SIZE_MAX) {
    while (!bytes.empty() && open) {
      const std::string_view part = bytes.substr(0, chunk);
      bytes.remove_prefix(part.size());
      Exact memory{std::string(part)};
      uint8_t* const start = memory.data();
      uint8_t* at = start;
      uint8_t* out = start;
      uint8_t* taken = start;
      while (open) {
        const auto event = reader.Read(&at, start + part.size(), &out, limits);
        Require(out <= at && at <= start + part.size(), "payload fits before the bytes that are left");
        message.append(reinterpret_cast<char*>(taken), static_cast<size_t>(out - taken));
        taken = out;
        most = std::max(most, message.size());
        if (event == WebSocketReader::Event::kMore) {
          Require(at == start + part.size(), "all bytes are used up");
          break;
        }
        On(event);
      }
    }
  }

  void On(WebSocketReader::Event event) {
    switch (event) {
      case WebSocketReader::Event::kMessage:
        answers.push_back((reader.text() ? "text " : "binary ") + message);
        message.clear();
        break;
      case WebSocketReader::Event::kPing:
        answers.push_back("pong " + TextOf(reader.control()));
        break;
      case WebSocketReader::Event::kPong:
        break;
      case WebSocketReader::Event::kClose:
        answers.push_back("close " + std::to_string(reader.close_code()));
        open = false;
        break;
      default:
        answers.push_back("fail " + std::to_string(reader.close_code()));
        open = false;
    }
  }

  const WsLimits limits;
  WebSocketReader reader;
  std::string message;               // payload of the message that is not complete
  std::vector<std::string> answers;  // what an echo server answers
  size_t most = 0;                   // longest `message`
  bool open = true;
};

}  // namespace dmicro
