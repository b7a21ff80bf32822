#include "options.h"

#include "common/address.h"
#include "common/fail.h"
#include "common/file.h"
#include "common/flags.h"

namespace dmicro_bench {
namespace {

// Shorter ones might stand in a frame's header by chance.
constexpr size_t kShortestPayload = 16;

}  // namespace

Options ParseOptions(int argc, char** argv) {
  const Flags flags(argc, argv, {"address", "connections", "dialect", "path", "payload-file", "timeout"}, {});
  if (!flags.Has("address") || !flags.Has("payload-file")) Fail("--address and --payload-file are needed");
  Options options;
  options.address = flags.Text("address", "");
  const HostPort address = ParseAddress(options.address);
  options.host = address.host;
  options.port = address.port;
  options.connections = static_cast<uint32_t>(flags.Integer("connections", 1, 1, 60'000));
  options.dialect = flags.Text("dialect", "raw");
  options.path = flags.Text("path", "");
  options.payload = ReadBytes(flags.Text("payload-file", ""));
  if (options.payload.size() < kShortestPayload) Fail("the payload must have at least %zu bytes", kShortestPayload);
  options.timeout_seconds = flags.Seconds("timeout", 60);
  return options;
}

}  // namespace dmicro_bench
