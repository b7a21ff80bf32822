#pragma once

namespace dmicro_bench {

// Raises the soft limit of open files to the hard one: it is 1,024 in most shells, and a connection is a file.
void RaiseFileLimit();

}  // namespace dmicro_bench
