// fanout: many sessions that wait for what a server publishes, and tell when each had it.
//   fanout --address HOST:PORT --connections N --dialect raw|websocket|socketio [--path /x] --payload-file F [--timeout
//   S]
// Prints {"ready":true,"connections":N} once all are connected. Each line `round` on standard input is answered with
// {"armed":K}; publish then, and when every connection has received the payload's bytes it prints
// {"round":K,"first_ns":"..","median_ns":"..","last_ns":".."}, CLOCK_MONOTONIC as process.hrtime.bigint() reads it.
// Ends with standard input; exit code 1 and one line on stderr when a payload comes late, twice or uncalled for.

#include <vector>

#include "common/file_limit.h"
#include "options.h"
#include "receivers.h"

int main(int argc, char** argv) {
  using namespace dmicro_bench;
  const Options options = ParseOptions(argc, argv);
  RaiseFileLimit();
  std::vector<char> scratch(256 * 1024);
  Receivers(options, scratch).Execute();
}
