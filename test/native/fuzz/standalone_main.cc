#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// Replaces libFuzzer where it is missing: runs every given file, the files of given folders, and then as many random
// changes of them as -runs says. The arguments are those of libFuzzer; unknown ones are ignored.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Input = std::vector<uint8_t>;

std::vector<Input> inputs;
Input running;

// Saves the input with which the target failed, as libFuzzer does.
void KeepInput(int) {
  std::ofstream("crash-standalone", std::ios::binary)
      .write(reinterpret_cast<const char*>(running.data()), static_cast<std::streamsize>(running.size()));
  std::fprintf(stderr, "the input is in crash-standalone\n");
}

void Run(const Input& input) {
  running = input;
  running.shrink_to_fit();  // so that AddressSanitizer sees one byte too many
  LLVMFuzzerTestOneInput(running.data(), running.size());
}

void Load(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) Load(entry.path());
    return;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(1);
  }
  inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Reads "a,b,c", or @file with such a text.
void LoadList(std::string list) {
  if (list.starts_with('@')) {
    std::ifstream file(list.substr(1));
    list.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  for (size_t start = 0; start < list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    Load(list.substr(start, end - start));
    start = end + 1;
  }
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  Input Next() {
    Input input = inputs.empty() ? Input(16) : inputs[Below(inputs.size())];
    for (size_t left = 1 + Below(6); left != 0; left--) Change(&input);
    return input;
  }

 private:
  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void Change(Input* input) {
    const size_t at = Below(input->size() + 1);
    const auto position = input->begin() + static_cast<ptrdiff_t>(at);
    const size_t count = std::min(Below(32), input->size() - at);
    switch (Below(7)) {
      case 0:
        if (at < input->size()) (*input)[at] ^= static_cast<uint8_t>(1 << Below(8));
        break;
      case 1:
        if (at < input->size()) (*input)[at] = kTelling[Below(sizeof kTelling)];
        break;
      case 2:
        input->insert(position, 1 + Below(16), static_cast<uint8_t>(random_()));
        break;
      case 3:
        input->erase(position, position + static_cast<ptrdiff_t>(count));
        break;
      case 4: {
        const Input run(position, position + static_cast<ptrdiff_t>(count));
        const size_t to = Below(input->size() + 1);
        input->insert(input->begin() + static_cast<ptrdiff_t>(to), run.begin(), run.end());
        break;
      }
      case 5:
        if (Below(4) == 0) input->resize(at);
        break;
      case 6:
        if (!inputs.empty()) {
          const Input& other = inputs[Below(inputs.size())];
          input->insert(position, other.begin() + static_cast<ptrdiff_t>(Below(other.size())), other.end());
        }
        break;
    }
  }

  // Bytes at which lengths, types and digits change their meaning.
  static constexpr uint8_t kTelling[] = {0, 1, 2, 3, 4, 5, 15, 16, '+', '-', '0', '9', 'Z', 'z', 0x7f, 0x80, 0xff};

  std::mt19937 random_;
};

}  // namespace

// A report ends in SIGABRT, as a failed Require does.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }

int main(int argc, char** argv) {
  unsigned long runs = 0, seed = 1;
  for (int i = 1; i < argc; i++) {
    const std::string argument = argv[i];
    if (argument.starts_with("-runs=")) {
      runs = std::stoul(argument.substr(6));
    } else if (argument.starts_with("-seed=")) {
      seed = std::stoul(argument.substr(6));
    } else if (argument.starts_with("-seed_inputs=")) {
      LoadList(argument.substr(13));
    } else if (!argument.starts_with("-")) {
      Load(argument);
    }
  }
  std::signal(SIGABRT, KeepInput);
  for (const Input& input : inputs) Run(input);
  Mutator mutator(static_cast<uint32_t>(seed));
  for (unsigned long i = 0; i < runs; i++) Run(mutator.Next());
  std::printf("%zu files, %lu random inputs: no complaint\n", inputs.size(), runs);
  return 0;
}
