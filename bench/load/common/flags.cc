#include "common/flags.h"

#include <stdlib.h>

#include <algorithm>

#include "common/fail.h"

namespace dmicro_bench {
namespace {

bool Contains(std::initializer_list<const char*> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Flags::Flags(int argc, char** argv, std::initializer_list<const char*> with_value,
             std::initializer_list<const char*> switches) {
  for (int i = 1; i < argc; i++) {
    const std::string argument = argv[i];
    const std::string name = argument.rfind("--", 0) == 0 ? argument.substr(2) : "";
    if (Contains(switches, name)) {
      values_[name] = "";
    } else if (Contains(with_value, name)) {
      if (++i == argc) Fail("--%s needs a value", name.c_str());
      values_[name] = argv[i];
    } else {
      std::string known;
      for (const char* each : with_value) known += std::string(" --") + each + " _";
      for (const char* each : switches) known += std::string(" --") + each;
      Fail("unknown option '%s'; known:%s", argument.c_str(), known.c_str());
    }
  }
}

std::string Flags::Text(const std::string& name, const std::string& fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second;
}

long Flags::Integer(const std::string& name, long fallback, long low, long high) const {
  if (!Has(name)) return fallback;
  const std::string text = Text(name, "");
  char* end = nullptr;
  const long value = strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < low || value > high) {
    Fail("--%s must be a whole number from %ld to %ld, not '%s'", name.c_str(), low, high, text.c_str());
  }
  return value;
}

double Flags::Seconds(const std::string& name, double fallback) const {
  if (!Has(name)) return fallback;
  const std::string text = Text(name, "");
  char* end = nullptr;
  const double value = strtod(text.c_str(), &end);
  // The negated form also refuses "nan".
  if (text.empty() || *end != '\0' || !(value >= 0 && value <= 86'400)) {
    Fail("--%s must be a number of seconds from 0 to 86400, not '%s'", name.c_str(), text.c_str());
  }
  return value;
}

}  // namespace dmicro_bench
