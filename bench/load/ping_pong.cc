#include "ping_pong.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>

#include "common/clock.h"
#include "common/fail.h"
#include "connection.h"
#include "dial.h"

namespace dmicro_bench {
namespace {

// How long after its time the run may take; then the server has lost a call.
constexpr double kOverdueSeconds = 5;

volatile sig_atomic_t overdue = 0;

void OnAlarm(int) { overdue = 1; }

// An alarm for the whole run, because a time limit on each read would cost a kernel timer per call. It repeats:
// one that came just before a read began to sleep would interrupt nothing.
void SetAlarm(double seconds) {
  struct sigaction action {};
  action.sa_handler = OnAlarm;  // without SA_RESTART, so that a sleeping read returns
  sigaction(SIGALRM, &action, nullptr);
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds + kOverdueSeconds);
  timer.it_interval.tv_sec = 1;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

class PingPong {
 public:
  PingPong(Run* run, Measurement* measurement, int fd, bool spin)
      : run_(run), measurement_(measurement), spin_(spin), connection_(run->protocol.Speak(run, fd, 0, 1)) {
    connection_->Start(Now());
  }

  void RoundTripsUntil(uint64_t deadline) {
    while (RoundTrip() < deadline) continue;
  }

  void Drain() {
    run_->draining = true;
    while (run_->outstanding != 0) RoundTrip();
  }

 private:
  // Sends the call that is queued and settles what arrives; returns when it arrived.
  uint64_t RoundTrip() {
    if (connection_->SendQueuedBlocking() == Flush::kClosed) FailClosed(strerror(errno));
    Receive();
    const uint64_t now = Now();
    connection_->SettleReceived(now);
    return now;
  }

  void Receive() {
    const int flags = spin_ ? MSG_DONTWAIT : 0;
    bool full;
    for (;;) {
      const ssize_t count = connection_->Receive(flags, &full);
      if (count > 0) return;
      if (count == 0) FailClosed("end of stream");
      if (errno != EAGAIN && errno != EINTR) FailClosed(strerror(errno));
      if (overdue) Fail("the server did not answer a call%s", measurement_->ServerFate());
    }
  }

  [[noreturn]] void FailClosed(const char* reason) {
    Fail("the server closed the connection: %s%s", reason, measurement_->ServerFate());
  }

  Run* run_;
  Measurement* measurement_;
  bool spin_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

void ExecutePingPong(const Options& options, Run* run, Measurement* measurement) {
  const int fd = Dial(options);
  SetAlarm(options.warmup_seconds + options.seconds);
  PingPong calls(run, measurement, fd, options.spin);
  calls.RoundTripsUntil(Now() + Nanoseconds(options.warmup_seconds));
  run->BeginWindow(Now());
  measurement->Begin();
  calls.RoundTripsUntil(Now() + Nanoseconds(options.seconds));
  measurement->End();
  calls.Drain();
  close(fd);
}

}  // namespace dmicro_bench
