#include "websocket.h"

#include "common/websocket_key.h"

namespace dmicro_bench {
namespace {

constexpr size_t kLongestHead = 16 * 1024;

}  // namespace

std::string WebSocket::Opening() const {
  return "GET " + path_ + " HTTP/1.1\r\nHost: " + host_ +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         kWebSocketKey + "\r\n\r\n";
}

const char* WebSocket::Receive(std::string_view bytes, std::string* answer) {
  if (!upgraded_) {
    const char* problem = Upgrade(&bytes);
    if (problem != nullptr || !upgraded_) return problem;
  }
  while (frames_.Next(&bytes)) {
    const char* problem = OnFrame(answer);
    if (problem != nullptr) return problem;
  }
  return nullptr;
}

const char* WebSocket::Upgrade(std::string_view* bytes) {
  constexpr std::string_view end_of_head = "\r\n\r\n";
  const size_t before = head_.size();
  head_ += *bytes;
  const size_t end = head_.find(end_of_head);
  if (end == std::string::npos) return head_.size() > kLongestHead ? "its answer to the upgrade has no end" : nullptr;
  bytes->remove_prefix(end + end_of_head.size() - before);
  head_.resize(end);
  if (head_.rfind("HTTP/1.1 101", 0) != 0) return "it does not upgrade to a WebSocket";
  if (head_.find(kWebSocketAccept) == std::string::npos) return "its Sec-WebSocket-Accept is wrong";
  upgraded_ = true;
  return nullptr;
}

const char* WebSocket::OnFrame(std::string* answer) {
  switch (frames_.FrameOpcode()) {
    case WebSocketFrames::kText:
      return OnText(frames_.Start(), answer);
    case WebSocketFrames::kPing:
      WebSocketFrames::Append(WebSocketFrames::kPong, frames_.Start(), answer);
      return nullptr;
    case WebSocketFrames::kClose:
      return "it closes the WebSocket";
    default:
      return nullptr;
  }
}

}  // namespace dmicro_bench
