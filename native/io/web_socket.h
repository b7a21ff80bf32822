#pragma once

#include <memory>
#include <string>

#include "wire/byte_queue.h"
#include "wire/close_reason.h"
#include "wire/websocket_reader.h"

namespace dmicro {

// How a connection speaks WebSocket: bits that JavaScript passes (src/transports/native/connection.ts).
inline constexpr uint32_t kWsServer = 1;
inline constexpr uint32_t kWsClient = 2;
inline constexpr uint32_t kWsText = 4;  // messages are sent as text
inline constexpr uint32_t kWsFlags = 8;

// The WebSocket of one connection, once its handshake is done.
struct WebSocket {
  explicit WebSocket(uint32_t flags) : client((flags & kWsClient) != 0), text((flags & kWsText) != 0) {}

  WsLimits Limits(uint32_t max_message) const { return {!client, false, max_message}; }
  WsOpcode Opcode() const { return text ? WsOpcode::kText : WsOpcode::kBinary; }

  const bool client;  // this side masks its frames, the peer does not
  const bool text;
  bool close_sent = false;
  WebSocketReader reader;
  ByteQueue message;                  // unfinished message, where messages are passed on whole
  std::unique_ptr<std::string> pong;  // payload of a pong that waits until the peer reads
};

// Returns the code of the close frame for a reason to close; src/transports/close-code.ts has the same.
uint16_t CloseCodeOf(CloseReason reason);

}  // namespace dmicro
