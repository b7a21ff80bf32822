#include "options.h"

#include <limits.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/address.h"
#include "common/fail.h"
#include "common/file.h"
#include "common/flags.h"
#include "common/raw_frame.h"

namespace dmicro_bench {
namespace {

void ReadAddress(const Flags& flags, Options* options) {
  if (flags.Has("port") + flags.Has("unix") + flags.Has("address") != 1) {
    Fail("give --address, --port or --unix, one of them");
  }
  options->host = flags.Text("host", "127.0.0.1");
  options->port = static_cast<int>(flags.Integer("port", 0, 1, 65535));
  options->unix_path = flags.Text("unix", "");
  if (flags.Has("address")) {
    const HostPort address = ParseAddress(flags.Text("address", ""));
    options->host = address.host;
    options->port = address.port;
  }
}

void ReadMode(const Flags& flags, Options* options) {
  const std::string mode = flags.Text("mode", "closed-loop");
  if (mode != "closed-loop" && mode != "pingpong" && mode != "handshake") {
    Fail("--mode is closed-loop, pingpong or handshake, not '%s'", mode.c_str());
  }
  options->mode = mode == "pingpong"    ? Mode::kPingPong
                  : mode == "handshake" ? Mode::kHandshake
                  : flags.Has("rate")   ? Mode::kOpenLoop
                                        : Mode::kClosedLoop;
  options->spin = flags.Has("spin");
  options->connections = static_cast<uint32_t>(flags.Integer("connections", 1, 1, 100'000));
  options->in_flight = static_cast<uint32_t>(flags.Integer("in-flight", 1, 1, 1'000'000));
  options->rate = static_cast<double>(flags.Integer("rate", 0, 1, 100'000'000));
  if (options->mode == Mode::kPingPong && (options->connections != 1 || options->in_flight != 1 || flags.Has("rate"))) {
    Fail("--mode pingpong is 1 connection with 1 call in flight, at no fixed rate");
  }
  if (options->mode != Mode::kPingPong && options->spin) Fail("--spin needs --mode pingpong");
}

void ReadTransport(const Flags& flags, Options* options) {
  options->tls = flags.Has("tls");
  options->websocket = flags.Has("websocket");
  options->resume = flags.Has("resume");
  if (options->tls && options->websocket) Fail("give --tls or --websocket, one of them");
  if (options->tls && options->mode == Mode::kPingPong) Fail("--mode pingpong has no --tls");
  if (options->mode == Mode::kHandshake && (!options->tls || flags.Has("rate") || options->in_flight != 1)) {
    Fail("--mode handshake needs --tls, and has neither --rate nor --in-flight");
  }
  if (options->resume && options->mode != Mode::kHandshake) Fail("--resume needs --mode handshake");
}

void ReadBody(const Flags& flags, Options* options) {
  if (flags.Has("body-file")) {
    if (flags.Has("body-bytes")) Fail("give --body-bytes or --body-file, one of them");
    options->bodies = ReadBytes(flags.Text("body-file", ""));
    options->body_count = static_cast<uint32_t>(flags.Integer("body-count", 1, 1, 1 << 20));
    options->body_bytes = options->bodies.size() / options->body_count;
    if (!std::has_single_bit(options->body_count)) Fail("--body-count must be a power of two");
    if (options->bodies.size() % options->body_count != 0) Fail("--body-file does not hold --body-count equal bodies");
  } else {
    if (flags.Has("body-count")) Fail("--body-count needs --body-file");
    options->body_count = 1;
    // The smallest JSON string is its two quotes.
    options->body_bytes = static_cast<size_t>(flags.Integer("body-bytes", 64, 2, 256L << 20));
  }
  options->codec = static_cast<uint8_t>(flags.Integer("codec", kJsonCodec, 0, 255));
}

void ReadProto(const Flags& flags, Options* options) {
  constexpr std::pair<std::string_view, Proto> protos[] = {{"raw", Proto::kRaw},           {"json", Proto::kJson},
                                                           {"protobuf", Proto::kProtobuf}, {"jsonrpc", Proto::kJsonRpc},
                                                           {"http", Proto::kHttp},         {"bare", Proto::kBare}};
  const std::string name = flags.Text("proto", "raw");
  const auto* found =
      std::find_if(std::begin(protos), std::end(protos), [&](const auto& p) { return p.first == name; });
  if (found == std::end(protos)) Fail("--proto is raw, json, protobuf, jsonrpc, http or bare, not '%s'", name.c_str());
  options->proto = found->second;
  if (options->proto == Proto::kBare && !options->websocket) Fail("--proto bare needs --websocket");
  if (options->websocket && options->proto != Proto::kRaw && options->proto != Proto::kBare) {
    Fail("over --websocket --proto is raw or bare, not '%s'", name.c_str());
  }
  if (options->proto == Proto::kRaw) return;
  if (flags.Has("codec")) Fail("--codec is for --proto raw");
  // It is written as it is into JSON and into a request line.
  if (options->method.find_first_of("\"\\ \t\r\n") != std::string::npos) Fail("--method takes no quotes and no spaces");
}

// `list`: process ids with commas between them.
void ReadPids(const std::string& list, std::vector<pid_t>* pids) {
  const char* at = list.data();
  const char* end = at + list.size();
  while (at != end) {
    pid_t pid = 0;
    const auto parsed = std::from_chars(at, end, pid);
    const bool more = parsed.ptr != end && *parsed.ptr == ',';
    if (parsed.ec != std::errc() || pid < 1 || !(more || parsed.ptr == end)) {
      Fail("--server-pids takes process ids with commas between them, not '%s'", list.c_str());
    }
    pids->push_back(pid);
    at = more ? parsed.ptr + 1 : end;
  }
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  const Flags flags(argc, argv,
                    {"address", "host", "port", "unix", "mode", "proto", "connections", "in-flight", "rate", "seconds",
                     "warmup", "method", "codec", "body-bytes", "body-file", "body-count", "server-pid", "server-pids"},
                    {"json", "spin", "tls", "websocket", "resume"});
  Options options;
  ReadAddress(flags, &options);
  ReadMode(flags, &options);
  ReadTransport(flags, &options);
  ReadBody(flags, &options);
  options.seconds = flags.Seconds("seconds", 5);
  options.warmup_seconds = flags.Seconds("warmup", 1);
  if (options.seconds == 0) Fail("--seconds must be more than 0");
  options.method = flags.Text("method", "/bench/echo");
  if (options.method.empty() || options.method.size() > kMaxMethod) Fail("--method takes 1 to 255 bytes");
  ReadProto(flags, &options);
  if (flags.Has("server-pid")) {
    options.server_pids.push_back(static_cast<pid_t>(flags.Integer("server-pid", 0, 1, INT_MAX)));
  }
  ReadPids(flags.Text("server-pids", ""), &options.server_pids);
  options.json_only = flags.Has("json");
  return options;
}

}  // namespace dmicro_bench
