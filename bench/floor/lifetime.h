#pragma once

#include <string>

namespace dmicro_bench {

// Ends the process, with exit code 0, on SIGTERM or SIGINT and when standard input is closed, so that no server
// outlives the run that started it. Removes `unix_path` then, unless it is empty. It works by signals alone:
// the loops pay nothing for it, and stay in one thread, where the kernel need not count references to sockets.
void EndWithCaller(const std::string& unix_path);

}  // namespace dmicro_bench
