#include "common/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fail.h"

namespace dmicro_bench {

std::string ReadBytes(const std::string& path) {
  FILE* file = fopen(path.c_str(), "rb");
  if (file == nullptr) Fail("cannot read %s: %s", path.c_str(), strerror(errno));
  std::string bytes;
  char chunk[64 * 1024];
  while (const size_t count = fread(chunk, 1, sizeof chunk, file)) bytes.append(chunk, count);
  const bool failed = ferror(file) != 0;
  fclose(file);
  if (failed || bytes.empty()) Fail("cannot read %s: %s", path.c_str(), failed ? "not a file" : "it is empty");
  return bytes;
}

}  // namespace dmicro_bench
