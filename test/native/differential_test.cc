#include <doctest/doctest.h>

#include <random>

#include "feeder.h"

// Random messages, packed, concatenated, split at random and read again.

namespace dmicro {
namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  size_t Below(size_t limit) { return engine_() % limit; }
  bool OneIn(size_t n) { return Below(n) == 0; }

  std::string Run(size_t most) {
    // Sizes are mostly short, sometimes up to the limit, sometimes at the limit.
    std::string run(OneIn(50) ? most : Below(std::min<size_t>(most, OneIn(10) ? most : 40) + 1), '\0');
    for (char& c : run) c = static_cast<char>(engine_());
    return run;
  }

  Message Next() {
    Message message;
    message.seq = static_cast<int32_t>(OneIn(2) ? engine_() : engine_() % 2000);
    message.type = static_cast<uint8_t>(kTypeCall + Below(3));
    message.method = Run(kMaxMethod);
    if (OneIn(3)) message.status = Run(OneIn(100) ? kMaxStatus : 100);
    if (OneIn(3)) message.meta = Run(OneIn(100) ? kMaxMeta : 200);
    message.codec = static_cast<uint8_t>(engine_());
    message.body = Run(OneIn(4) ? 10'000 : 100);
    if (OneIn(100)) message.body += std::string(Below(200'000), 'l');
    return message;
  }

 private:
  std::mt19937 engine_;
};

TEST_CASE("20,000 random messages come back as they were, however the stream is cut") {
  constexpr uint32_t kStreams = 200;
  constexpr int kMessages = 100;
  size_t own_memory = 0, bytes_in_all = 0;
  for (uint32_t seed = 1; seed <= kStreams; seed++) {
    CAPTURE(seed);
    Random random(seed);
    std::string bytes;
    std::vector<Message> messages;
    for (int i = 0; i < kMessages; i++) {
      messages.push_back(random.Next());
      bytes += Pack(messages.back());
    }
    Feeder feeder(kLimits, Framer::kMinScratch + random.Below(50'000));
    feeder.release = random.OneIn(2);
    // Reads have from a few bytes to many frames.
    const size_t most = size_t{1} << (2 + random.Below(16));
    for (std::string_view rest = bytes; !rest.empty();) {
      rest.remove_prefix(feeder.Read(rest.substr(0, 1 + random.Below(most))));
      REQUIRE(feeder.parse == Parse::kMore);
    }
    REQUIRE(feeder.messages == messages);
    REQUIRE(feeder.framer.held() == 0);
    bytes_in_all += bytes.size();
    own_memory += static_cast<size_t>(std::count(feeder.in_scratch.begin(), feeder.in_scratch.end(), false));
  }
  MESSAGE(bytes_in_all << " bytes, " << own_memory << " frames put together outside scratch");
  CHECK(own_memory > 100);  // otherwise one half of the framer was not tested
}

}  // namespace
}  // namespace dmicro
