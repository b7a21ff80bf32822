#include "protocol.h"

#include "protocols/bare.h"
#include "protocols/http.h"
#include "protocols/json.h"
#include "protocols/jsonrpc.h"
#include "protocols/protobuf.h"
#include "protocols/raw.h"
#include "protocols/websocket.h"
#include "wire_connection.h"

namespace dmicro_bench {
namespace {

template <typename Wire>
class ProtocolOf final : public Protocol {
 public:
  explicit ProtocolOf(const Options& options) : wire_(options) {}
  std::unique_ptr<Connection> Speak(Run* run, int fd, uint32_t index, uint32_t in_flight) const override {
    return std::make_unique<WireConnection<Wire>>(wire_, run, fd, index, in_flight);
  }

 private:
  Wire wire_;
};

}  // namespace

std::unique_ptr<Protocol> MakeProtocol(const Options& options) {
  switch (options.proto) {
    case Proto::kRaw:
      if (options.websocket) return std::make_unique<ProtocolOf<WebSocketOf<Raw>>>(options);
      return std::make_unique<ProtocolOf<Raw>>(options);
    case Proto::kJson:
      return std::make_unique<ProtocolOf<Json>>(options);
    case Proto::kProtobuf:
      return std::make_unique<ProtocolOf<Protobuf>>(options);
    case Proto::kJsonRpc:
      return std::make_unique<ProtocolOf<JsonRpc>>(options);
    case Proto::kHttp:
      return std::make_unique<ProtocolOf<Http>>(options);
    case Proto::kBare:
      return std::make_unique<ProtocolOf<WebSocketOf<Bare>>>(options);
  }
  return nullptr;
}

}  // namespace dmicro_bench
