#include "fail_reply.h"

#include <stdio.h>

#include <string>

#include "common/fail.h"

namespace dmicro_bench {

void FailReply(uint32_t connection, const char* problem, std::string_view bytes) {
  constexpr size_t shown_bytes = 200;
  std::string shown;
  for (const char c : bytes.substr(0, shown_bytes)) {
    char escaped[8];
    const bool printable = c >= ' ' && c <= '~' && c != '\\';
    snprintf(escaped, sizeof escaped, printable ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
    shown += escaped;
  }
  if (bytes.size() > shown_bytes) shown += "...";
  Fail("wrong reply on connection %u: %s; received: %s", connection, problem, shown.c_str());
}

}  // namespace dmicro_bench
