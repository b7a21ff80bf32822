#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "options.h"

namespace dmicro_bench {

// What one connection must say and understand so that its server sends it payloads.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // What to send first.
  virtual std::string Opening() const { return ""; }
  // Whether payloads may come.
  virtual bool Ready() const = 0;
  // Takes the next bytes received and appends what must be sent for them. Returns what is wrong, or nullptr.
  virtual const char* Receive(std::string_view bytes, std::string* answer) = 0;
};

// Ends the program when there is no such dialect.
std::unique_ptr<Dialect> MakeDialect(const Options& options);

}  // namespace dmicro_bench
