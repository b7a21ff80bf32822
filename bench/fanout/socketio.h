#pragma once

#include "websocket.h"

namespace dmicro_bench {

// Socket.IO 4 on its WebSocket transport: joins the main namespace, then may be sent payloads; answers heartbeats.
class SocketIo : public WebSocket {
 public:
  static constexpr const char* kPath = "/socket.io/?EIO=4&transport=websocket";

  using WebSocket::WebSocket;
  bool Ready() const override { return joined_; }

 protected:
  const char* OnText(std::string_view text, std::string* answer) override;

 private:
  bool joined_ = false;
};

}  // namespace dmicro_bench
