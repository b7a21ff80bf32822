#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // as in Node
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  doctest::Context context(argc, argv);
  return context.run();
}
