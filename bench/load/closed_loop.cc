#include "closed_loop.h"

#include "common/clock.h"
#include "drain.h"

namespace dmicro_bench {

void ClosedLoop::Execute() {
  clients_.SetTimer(Now() + Nanoseconds(options_.warmup_seconds));
  for (size_t i = 0; i < clients_.Count(); i++) {
    clients_.At(i)->Start(Now());
    clients_.Send(clients_.At(i));
  }
  while (phase_ != Phase::kDrain || run_->outstanding != 0) {
    if (clients_.Wait()) OnTimer();
  }
}

void ClosedLoop::OnTimer() {
  switch (phase_) {
    case Phase::kWarmUp:
      phase_ = Phase::kWindow;
      clients_.SetTimer(Now() + Nanoseconds(options_.seconds));
      run_->BeginWindow(Now());
      measurement_->Begin();
      break;
    case Phase::kWindow:
      measurement_->End();
      phase_ = Phase::kDrain;
      run_->draining = true;
      clients_.SetTimer(Now() + Nanoseconds(kDrainSeconds));
      break;
    case Phase::kDrain:
      FailUndrained(*run_, *measurement_);
  }
}

}  // namespace dmicro_bench
