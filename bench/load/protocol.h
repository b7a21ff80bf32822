#pragma once

#include <cstdint>
#include <memory>

#include "options.h"

namespace dmicro_bench {

class Connection;
struct Run;

// Makes the connections of a run, which speak one protocol.
class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual std::unique_ptr<Connection> Speak(Run* run, int fd, uint32_t index, uint32_t in_flight) const = 0;
};

// That which --proto names.
std::unique_ptr<Protocol> MakeProtocol(const Options& options);

}  // namespace dmicro_bench
