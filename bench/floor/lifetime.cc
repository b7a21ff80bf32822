#include "lifetime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dmicro_bench {
namespace {

// Set before the handlers are installed; not destroyed, because they may run at any time.
std::string& path_to_remove = *new std::string;

void End(int) {
  if (!path_to_remove.empty()) unlink(path_to_remove.c_str());
  _exit(0);
}

// Reads away what was written to standard input, to find out whether that is all there will ever be.
void CheckInput(int) {
  const int saved_errno = errno;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char ignored[256];
  while (poll(&input, 1, 0) > 0) {
    if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0) End(0);
  }
  errno = saved_errno;
}

void Handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

}  // namespace

void EndWithCaller(const std::string& unix_path) {
  path_to_remove = unix_path;
  Handle(SIGTERM, End);
  Handle(SIGINT, End);

  // Only a pipe or a socket says that somebody waits at the other end: a shell's background job has
  // /dev/null there, which is at its end from the start.
  struct stat input;
  if (fstat(STDIN_FILENO, &input) != 0 || !(S_ISFIFO(input.st_mode) || S_ISSOCK(input.st_mode))) return;
  Handle(SIGIO, CheckInput);
  fcntl(STDIN_FILENO, F_SETOWN, getpid());
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_ASYNC);
  // It may have been closed before the kernel was told whom to signal.
  CheckInput(0);
}

}  // namespace dmicro_bench
