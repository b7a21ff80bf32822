// load: a client that keeps an echo server busy and reports what a call costs.
// It shares the machine with the server, so its own CPU per call is kept low and reported too.
//   load --address HOST:PORT|--port N|--unix PATH [--connections C --in-flight K] [--seconds S --warmup W] [--rate R]
//        [--tls | --websocket] [--proto raw|json|protobuf|jsonrpc|http|bare] [--codec N] [--server-pids 1,2] [--json]
//        [--body-bytes N | --body-file F --body-count N]    a JSON string, or what F holds: so many bodies of equal
//        size
//   load --address HOST:PORT|--port N|--unix PATH --mode pingpong [--spin] ...
//   load --address HOST:PORT --mode handshake --tls [--resume] --connections C ...    C handshakes at a time
// One JSON line on stdout; exit code 1 and one line on stderr on any wrong, missing or extra reply.

#include <memory>
#include <vector>

#include "closed_loop.h"
#include "common/file_limit.h"
#include "handshakes.h"
#include "measurement.h"
#include "open_loop.h"
#include "options.h"
#include "ping_pong.h"
#include "protocol.h"
#include "run.h"
#include "tls.h"

int main(int argc, char** argv) {
  using namespace dmicro_bench;
  const Options options = ParseOptions(argc, argv);
  const std::unique_ptr<Protocol> protocol = MakeProtocol(options);
  Measurement measurement(options);
  std::vector<char> scratch(256 * 1024);
  Run run{.protocol = *protocol, .scratch = scratch, .open_loop = options.mode == Mode::kOpenLoop, .latencies = {}};
  RaiseFileLimit();
  std::unique_ptr<TlsContext> tls;
  if (options.tls) {
    tls = MakeTlsContext();
    run.tls = tls.get();
  }
  if (options.mode == Mode::kHandshake) {
    ExecuteHandshakes(options, &run, &measurement);
  } else if (options.mode == Mode::kPingPong) {
    ExecutePingPong(options, &run, &measurement);
  } else if (options.mode == Mode::kOpenLoop) {
    OpenLoop(options, &run, &measurement).Execute();
  } else {
    ClosedLoop(options, &run, &measurement).Execute();
  }
  measurement.Print(run);
  return 0;
}
