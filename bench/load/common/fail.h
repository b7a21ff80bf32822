#pragma once

namespace dmicro_bench {

// Prints "<program>: <message>" as one line on stderr and exits with 1. A benchmark that goes on after
// something unexpected would print a figure that means nothing.
[[noreturn, gnu::cold, gnu::format(printf, 1, 2)]] void Fail(const char* format, ...);

}  // namespace dmicro_bench
