#include "socketio.h"

namespace dmicro_bench {

// The first character is Engine.IO's packet type, after a 4 (message) the second is Socket.IO's.
const char* SocketIo::OnText(std::string_view text, std::string* answer) {
  if (text.starts_with('0')) {  // open
    WebSocketFrames::Append(WebSocketFrames::kText, "40", answer);
  } else if (text == "2") {  // ping
    WebSocketFrames::Append(WebSocketFrames::kText, "3", answer);
  } else if (text.starts_with("40")) {
    joined_ = true;
  } else if (text.starts_with("44")) {
    return "it refuses to connect the namespace";
  } else if (text.starts_with('1') || text.starts_with("41")) {
    return "it closes the session";
  }
  return nullptr;
}

}  // namespace dmicro_bench
