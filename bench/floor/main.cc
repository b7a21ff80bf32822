// floor: a raw-protocol server in C++ alone, doing no more than any server must. What a call or a push costs here is
// what the kernel and the protocol cost; the rest of a real server's figure is its own.
//   floor [--port 0] [--unix PATH] [--mode epoll|pingpong-blocking|pingpong-spin]    echoes
//   floor [--port 0] [--unix PATH] --mode object                                     echoes objects it parses and
//   prints floor [--port 0] --mode publish --body-file F                                    pushes, see
//   publish_server.h
// Prints {"port","pid"}; ends when standard input is closed, or on SIGTERM.

#include <stdio.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "common/fail.h"
#include "common/file.h"
#include "common/file_limit.h"
#include "common/flags.h"
#include "common/socket.h"
#include "epoll_server.h"
#include "lifetime.h"
#include "methods.h"
#include "object_echo.h"
#include "ping_pong_server.h"
#include "publish_server.h"

namespace dmicro_bench {
namespace {

// /bench/echo and company: a table with one name would be too easy to look up. All of them echo.
void AddMethods(Methods* methods) {
  methods->Add("/bench/echo", 0);
  for (int i = 1; i < 16; i++) methods->Add("/bench/method_" + std::to_string(i), i);
}

int Main(int argc, char** argv) {
  const Flags flags(argc, argv, {"host", "port", "unix", "mode", "body-file"}, {});
  int port = static_cast<int>(flags.Integer("port", 0, 0, 65535));
  const std::string unix_path = flags.Text("unix", "");
  const std::string mode = flags.Text("mode", "epoll");
  const bool blocking = mode == "pingpong-blocking";
  const bool spin = mode == "pingpong-spin";
  const bool publish = mode == "publish";
  const bool object = mode == "object";
  if (!blocking && !spin && !publish && !object && mode != "epoll") {
    Fail("--mode is epoll, object, pingpong-blocking, pingpong-spin or publish, not '%s'", mode.c_str());
  }
  if (publish != flags.Has("body-file")) Fail("--mode publish needs --body-file, no other mode takes it");
  if (publish && !unix_path.empty()) Fail("--mode publish has no --unix");
  std::string body;
  if (publish) body = ReadBytes(flags.Text("body-file", ""));

  RaiseFileLimit();
  std::vector<int> listeners{ListenTcp(flags.Text("host", "127.0.0.1"), &port)};
  if (!unix_path.empty()) listeners.push_back(ListenUnix(unix_path));
  if (!publish) EndWithCaller(unix_path);  // it would read the commands away
  printf("{\"port\":%d,\"pid\":%d}\n", port, getpid());
  fflush(stdout);

  if (publish) PublishServer(listeners.front(), std::move(body)).Serve();
  Methods methods;
  AddMethods(&methods);
  std::vector<char> scratch(256 * 1024);
  // Ping-pong waits for one client, so on one listener: the Unix socket when there is one.
  if (blocking || spin) ServePingPong(listeners.back(), methods, scratch, spin);
  ObjectEcho objects;
  EpollServer(listeners, methods, scratch, object ? &objects : nullptr).Serve();
}

}  // namespace
}  // namespace dmicro_bench

int main(int argc, char** argv) { return dmicro_bench::Main(argc, argv); }
