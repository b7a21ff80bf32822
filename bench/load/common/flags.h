#pragma once

#include <initializer_list>
#include <map>
#include <string>

namespace dmicro_bench {

// Command-line options: `--name value` and bare `--name` switches. An unknown name, a missing value and
// a bad number end the program, because a misspelt option must not turn into a wrong figure.
class Flags {
 public:
  Flags(int argc, char** argv, std::initializer_list<const char*> with_value,
        std::initializer_list<const char*> switches);

  bool Has(const std::string& name) const { return values_.count(name) != 0; }
  std::string Text(const std::string& name, const std::string& fallback) const;
  long Integer(const std::string& name, long fallback, long low, long high) const;
  double Seconds(const std::string& name, double fallback) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace dmicro_bench
