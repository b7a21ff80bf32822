#include "node/core_arguments.h"

#include <string>

#include "node/environment.h"

namespace dmicro {

Core* CoreOf(Arguments* arguments, const Napi::CallbackInfo& info) {
  const uint32_t number = arguments->Size32(0);
  Core* const core = Environment::Of(info)->core(number);
  return arguments->Expect(core != nullptr, 0, "a core that was started") ? core : nullptr;
}

Framing FramingAt(Arguments* arguments, size_t at) {
  const uint32_t framing = arguments->Size32(at);
  return static_cast<Framing>(arguments->Expect(framing < kFramings, at, "a framing") ? framing : 0);
}

WireLimits LimitsAt(Arguments* arguments, size_t at) {
  WireLimits limits;
  limits.frame = {arguments->Size32(at), arguments->Size32(at + 1), FramingAt(arguments, at + 5)};
  arguments->Expect(limits.frame.max_message <= INT32_MAX, at, "below 2^31");
  limits.max_unsent = arguments->Size(at + 2);
  arguments->Expect(limits.max_unsent <= INT32_MAX, at + 2, "below 2^31");
  limits.frame_timeout = arguments->Size32(at + 3);
  limits.write_timeout = arguments->Size32(at + 4);
  limits.socket = {arguments->Flag(at + 6), arguments->Size32(at + 7), arguments->Size32(at + 8),
                   arguments->Size32(at + 9)};
  limits.paused = arguments->Flag(at + 10);
  return limits;
}

Target TargetAt(Arguments* arguments, size_t at) {
  std::string host, path;
  const bool tcp = arguments->Text(at, &host);
  const int port = arguments->Int(at + 1);
  arguments->Expect(arguments->Text(at + 2, &path) != tcp, at + 2, "a path exactly when there is no host");
  return {!tcp, tcp ? host : path, port};
}

}  // namespace dmicro
