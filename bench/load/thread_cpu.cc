#include "thread_cpu.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

namespace dmicro_bench {
namespace {

// The first line without its end; empty when the thread has ended since.
std::string FirstLine(const std::string& path) {
  FILE* file = fopen(path.c_str(), "r");
  if (file == nullptr) return "";
  char line[256] = "";
  if (fgets(line, sizeof line, file) == nullptr) line[0] = '\0';
  fclose(file);
  const std::string text = line;
  return text.substr(0, text.find('\n'));
}

}  // namespace

void ReadThreads(pid_t process, ThreadCpus* threads) {
  const std::string tasks = "/proc/" + std::to_string(process) + "/task";
  // The thread that runs JavaScript is `node` here: Node 24 calls it MainThread, and in Node 20 its helpers are `node`
  // too.
  const std::string first = FirstLine("/proc/" + std::to_string(process) + "/comm");
  const bool is_node = first == "node" || first == "MainThread";
  DIR* folder = opendir(tasks.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    const pid_t id = atoi(entry->d_name);
    const std::string thread = tasks + "/" + entry->d_name;
    const std::string name = FirstLine(thread + "/comm");
    const char* const label = !is_node         ? name.c_str()
                              : id == process  ? "node"
                              : name == "node" ? "node helpers"
                                               : name.c_str();
    const std::string times = FirstLine(thread + "/schedstat");  // its first number is the time on a processor
    if (!times.empty()) {
      (*threads)[id] = {label, strtoull(times.c_str(), nullptr, 10)};
    }
  }
  closedir(folder);
}

std::map<std::string, uint64_t> UsedByName(const ThreadCpus& before, const ThreadCpus& after) {
  std::map<std::string, uint64_t> used;
  for (const auto& [id, thread] : after) {
    const auto earlier = before.find(id);
    const uint64_t start = earlier == before.end() ? 0 : earlier->second.nanoseconds;
    if (thread.nanoseconds > start) used[thread.name] += thread.nanoseconds - start;
  }
  return used;
}

}  // namespace dmicro_bench
