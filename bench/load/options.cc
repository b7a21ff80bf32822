#include "options.h"

#include <limits.h>

#include "common/fail.h"
#include "common/flags.h"
#include "common/raw_frame.h"

namespace dmicro_bench {

Options ParseOptions(int argc, char** argv) {
  const Flags flags(argc, argv,
                    {"host", "port", "unix", "mode", "connections", "in-flight", "seconds", "warmup", "method",
                     "body-bytes", "server-pid"},
                    {"json", "spin"});
  Options options;
  options.host = flags.Text("host", "127.0.0.1");
  options.port = static_cast<int>(flags.Integer("port", 0, 1, 65535));
  options.unix_path = flags.Text("unix", "");
  if (flags.Has("port") == flags.Has("unix")) Fail("give --port or --unix, one of them");

  const std::string mode = flags.Text("mode", "closed-loop");
  if (mode != "closed-loop" && mode != "pingpong") Fail("--mode is closed-loop or pingpong, not '%s'", mode.c_str());
  options.mode = mode == "pingpong" ? Mode::kPingPong : Mode::kClosedLoop;
  options.spin = flags.Has("spin");
  options.connections = static_cast<uint32_t>(flags.Integer("connections", 1, 1, 100'000));
  options.in_flight = static_cast<uint32_t>(flags.Integer("in-flight", 1, 1, 1'000'000));
  if (options.mode == Mode::kPingPong && (options.connections != 1 || options.in_flight != 1)) {
    Fail("--mode pingpong is 1 connection with 1 call in flight");
  }
  if (options.mode != Mode::kPingPong && options.spin) Fail("--spin needs --mode pingpong");

  options.seconds = flags.Seconds("seconds", 5);
  options.warmup_seconds = flags.Seconds("warmup", 1);
  if (options.seconds == 0) Fail("--seconds must be more than 0");
  options.method = flags.Text("method", "/bench/echo");
  if (options.method.empty() || options.method.size() > kMaxMethod) Fail("--method takes 1 to 255 bytes");
  // The smallest JSON string is its two quotes.
  options.body_bytes = static_cast<size_t>(flags.Integer("body-bytes", 64, 2, 256L << 20));
  options.server_pid = static_cast<pid_t>(flags.Integer("server-pid", 0, 1, INT_MAX));
  options.json_only = flags.Has("json");
  return options;
}

}  // namespace dmicro_bench
