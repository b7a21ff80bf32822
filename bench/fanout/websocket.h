#pragma once

#include <string>
#include <string_view>

#include "dialect.h"
#include "websocket_frames.h"

namespace dmicro_bench {

// HTTP upgrade, then a WebSocket that may be sent payloads at once; answers pings.
class WebSocket : public Dialect {
 public:
  WebSocket(const std::string& host, const std::string& path) : host_(host), path_(path) {}

  std::string Opening() const override;
  bool Ready() const override { return upgraded_; }
  const char* Receive(std::string_view bytes, std::string* answer) override;

 protected:
  // One text message, or the start of a long one.
  virtual const char* OnText(std::string_view, std::string*) { return nullptr; }

 private:
  // Takes the response's head from the bytes.
  const char* Upgrade(std::string_view* bytes);
  const char* OnFrame(std::string* answer);

  std::string host_;
  std::string path_;
  std::string head_;
  bool upgraded_ = false;
  WebSocketFrames frames_;
};

}  // namespace dmicro_bench
