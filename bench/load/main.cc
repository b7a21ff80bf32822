// load: a client that keeps a raw-protocol echo server busy and reports what a call costs.
// It shares the machine with the server, so its own CPU per call is kept low and reported too.
//   load --port N|--unix PATH [--connections C --in-flight K] [--seconds S] [--server-pid PID] [--json]
//   load --port N|--unix PATH --mode pingpong [--spin] ...
// One JSON line on stdout; exit code 1 and one line on stderr on any wrong, missing or extra reply.

#include <vector>

#include "call_frame.h"
#include "closed_loop.h"
#include "connection.h"
#include "measurement.h"
#include "options.h"
#include "ping_pong.h"

int main(int argc, char** argv) {
  using namespace dmicro_bench;
  const Options options = ParseOptions(argc, argv);
  const CallFrame call(options.method, options.body_bytes);
  Measurement measurement(options);
  std::vector<char> scratch(256 * 1024);
  Run run{.call = call, .scratch = scratch, .latencies = {}};
  if (options.mode == Mode::kPingPong) {
    ExecutePingPong(options, &run, &measurement);
  } else {
    ClosedLoop(options, &run, &measurement).Execute();
  }
  measurement.Print(run.latencies);
  return 0;
}
