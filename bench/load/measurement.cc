#include "measurement.h"

#include <stdio.h>

#include <string>

#include "clock.h"
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
  if (options.mode == Mode::kClosedLoop) return "closed-loop";
  return options.spin ? "pingpong-spin" : "pingpong-blocking";
}

}  // namespace

Measurement::Reading Measurement::Read() const { return {Now(), server_.Nanoseconds(), OwnCpuNanoseconds()}; }

void Measurement::Begin() { begin_ = Read(); }

void Measurement::End() { end_ = Read(); }

void Measurement::Print(const Histogram& latencies) const {
  const uint64_t count = latencies.Count();
  if (count == 0) Fail("the server answered no call in the measured window");
  const double calls = static_cast<double>(count);
  const double elapsed = static_cast<double>(end_.time - begin_.time);
  const double server_cpu = static_cast<double>(end_.server_cpu - begin_.server_cpu);
  const double own_cpu = static_cast<double>(end_.own_cpu - begin_.own_cpu);
  const double rate = calls / (elapsed / 1e9);
  const std::string server_per_call = server_.Measures() ? Number(Micros(server_cpu / calls), 4) : "null";
  const std::string utilisation = server_.Measures() ? Number(server_cpu / elapsed, 4) : "null";
  const std::string own_per_call = Number(Micros(own_cpu / calls), 4);
  const double p50 = Micros(latencies.Percentile(0.5));
  const double p99 = Micros(latencies.Percentile(0.99));
  const double p999 = Micros(latencies.Percentile(0.999));

  printf(
      "{\"mode\":\"%s\",\"connections\":%u,\"in_flight\":%u,\"body_bytes\":%zu,\"seconds\":%.3f,\"calls\":%llu,"
      "\"calls_per_second\":%.0f,\"server_cpu_us_per_call\":%s,\"server_cpu_utilisation\":%s,"
      "\"client_cpu_us_per_call\":%s,\"p50_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f}\n",
      ModeName(options_), options_.connections, options_.in_flight, options_.body_bytes, elapsed / 1e9,
      static_cast<unsigned long long>(count), rate, server_per_call.c_str(), utilisation.c_str(), own_per_call.c_str(),
      p50, p99, p999);
  fflush(stdout);
  if (options_.json_only) return;
  fprintf(stderr,
          "%s, %u x %u: %.0f calls/s; CPU per call: server %s us (%s of a core), client %s us; "
          "p50 %.1f us, p99 %.1f us, p99.9 %.1f us\n",
          ModeName(options_), options_.connections, options_.in_flight, rate, server_per_call.c_str(),
          utilisation.c_str(), own_per_call.c_str(), p50, p99, p999);
}

}  // namespace dmicro_bench
