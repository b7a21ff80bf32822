#include "measurement.h"

#include <stdio.h>

#include <string>

#include "common/clock.h"
#include "common/fail.h"

namespace dmicro_bench {
namespace {

double Micros(double nanoseconds) { return nanoseconds / 1e3; }

std::string Number(double value, int digits) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

const char* ModeName(const Options& options) {
  switch (options.mode) {
    case Mode::kClosedLoop:
      return "closed-loop";
    case Mode::kOpenLoop:
      return "open-loop";
    case Mode::kPingPong:
      return options.spin ? "pingpong-spin" : "pingpong-blocking";
    case Mode::kHandshake:
      return options.resume ? "handshake-resumed" : "handshake-full";
  }
  return "";
}

// A JSON string of a thread's name, which may be anything.
std::string Quoted(const std::string& name) {
  std::string quoted(1, '"');
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  return quoted + '"';
}

// {"node":1.2345,...}: microseconds per call.
std::string Threads(const std::map<std::string, uint64_t>& used, double calls) {
  std::string object;
  for (const auto& [name, nanoseconds] : used) {
    object += object.empty() ? "{" : ",";
    object += Quoted(name) + ':' + Number(Micros(static_cast<double>(nanoseconds) / calls), 4);
  }
  return object.empty() ? "{}" : object + '}';
}

}  // namespace

Measurement::Reading Measurement::Read() const { return {Now(), OwnCpuNanoseconds(), server_.Read()}; }

void Measurement::Begin() { begin_ = Read(); }

void Measurement::End() { end_ = Read(); }

void Measurement::Print(const Run& run) const {
  if (run.answered == 0) Fail("the server answered no call in the measured window");
  const double calls = static_cast<double>(run.answered);
  const double elapsed = static_cast<double>(end_.time - begin_.time);
  const double server_cpu = static_cast<double>(end_.server.total - begin_.server.total);
  const double server_system = static_cast<double>(end_.server.system - begin_.server.system);
  const double own_cpu = static_cast<double>(end_.own_cpu - begin_.own_cpu);
  const double rate = calls / (elapsed / 1e9);
  const auto if_measured = [this](double value) { return server_.Measures() ? Number(value, 4) : "null"; };
  const std::string server_per_call = if_measured(Micros(server_cpu / calls));
  const std::string system_per_call = if_measured(Micros(server_system / calls));
  const std::string utilisation = if_measured(server_cpu / elapsed);
  const std::string threads = Threads(UsedByName(begin_.server.threads, end_.server.threads), calls);
  const std::string own_per_call = Number(Micros(own_cpu / calls), 4);
  const double p50 = Micros(run.latencies.Percentile(0.5));
  const double p99 = Micros(run.latencies.Percentile(0.99));
  const double p999 = Micros(run.latencies.Percentile(0.999));

  printf(
      "{\"mode\":\"%s\",\"connections\":%u,\"in_flight\":%u,\"body_bytes\":%zu,\"seconds\":%.3f,\"calls\":%llu,"
      "\"calls_per_second\":%.0f,\"server_cpu_us_per_call\":%s,\"server_system_us_per_call\":%s,"
      "\"server_threads\":%s,\"server_cpu_utilisation\":%s,\"client_cpu_us_per_call\":%s,\"p50_us\":%.2f,"
      "\"p99_us\":%.2f,\"p999_us\":%.2f,\"max_us\":%.2f,\"unsent\":%llu}\n",
      ModeName(options_), options_.connections, options_.in_flight, options_.body_bytes, elapsed / 1e9,
      static_cast<unsigned long long>(run.answered), rate, server_per_call.c_str(), system_per_call.c_str(),
      threads.c_str(), utilisation.c_str(), own_per_call.c_str(), p50, p99, p999,
      Micros(static_cast<double>(run.latencies.Largest())), static_cast<unsigned long long>(run.unsent));
  fflush(stdout);
  if (options_.json_only) return;
  fprintf(stderr,
          "%s, %u x %u: %.0f calls/s; CPU per call: server %s us (%s of a core), client %s us; "
          "p50 %.1f us, p99 %.1f us, p99.9 %.1f us\n",
          ModeName(options_), options_.connections, options_.in_flight, rate, server_per_call.c_str(),
          utilisation.c_str(), own_per_call.c_str(), p50, p99, p999);
}

}  // namespace dmicro_bench
