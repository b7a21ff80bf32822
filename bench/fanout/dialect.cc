#include "dialect.h"

#include "common/fail.h"
#include "socketio.h"
#include "websocket.h"

namespace dmicro_bench {
namespace {

// DMicro's raw protocol: a server may push at once, and expects nothing.
class Raw : public Dialect {
 public:
  bool Ready() const override { return true; }
  const char* Receive(std::string_view, std::string*) override { return nullptr; }
};

}  // namespace

std::unique_ptr<Dialect> MakeDialect(const Options& options) {
  const auto path = [&](const char* usual) { return options.path.empty() ? usual : options.path; };
  if (options.dialect == "raw") return std::make_unique<Raw>();
  if (options.dialect == "websocket") return std::make_unique<WebSocket>(options.address, path("/"));
  if (options.dialect == "socketio") return std::make_unique<SocketIo>(options.address, path(SocketIo::kPath));
  Fail("--dialect is raw, websocket or socketio, not '%s'", options.dialect.c_str());
}

}  // namespace dmicro_bench
