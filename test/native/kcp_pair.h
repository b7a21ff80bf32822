#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kcp/conversation.h"

namespace dmicro {

// What happens to a hundred datagrams on their way.
struct Network {
  uint32_t lost = 0;
  uint32_t twice = 0;
  uint32_t jitter = 0;  // ms, at most
  uint32_t delay = 5;   // ms
};

// One end of a KcpPair, with all that it has read.
class KcpEnd final : public KcpOutput {
 public:
  KcpEnd(const KcpSettings& settings) : conversation(std::make_unique<KcpConversation>(7, settings)) {}

  Kcp& machine() { return conversation->machine(); }
  void Send(const std::string& bytes) {
    machine().Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }
  void Turn(uint32_t now) {
    while (reads && machine().Readable()) {
      const Bytes part = machine().Front();
      read.append(reinterpret_cast<const char*>(part.data), part.size);
      machine().PopFront();
    }
    const bool due = machine().wanted() != Kcp::Wanted::kNothing || machine().MustTell() || machine().Due(now) == 0;
    if (due) conversation->Flush(true, now, this);
    while (machine().MaySend()) conversation->Flush(true, now, this);
  }

  uint8_t* Begin(size_t most) override {
    scratch_.resize(most);
    return scratch_.data();
  }
  void Commit(size_t size) override { sent.emplace_back(scratch_.begin(), scratch_.begin() + static_cast<long>(size)); }

  std::unique_ptr<KcpConversation> conversation;
  std::vector<std::vector<uint8_t>> sent;
  std::string read;
  bool reads = true;

 private:
  std::vector<uint8_t> scratch_;
};

// Two ends of a conversation and a network between them, in a time of their own.
class KcpPair {
 public:
  KcpPair(const KcpSettings& settings, Network circumstances, uint32_t start = 0)
      : ends{KcpEnd(settings), KcpEnd(settings)}, network(circumstances), settings_(settings), now_(start) {}

  uint32_t now() const { return now_; }

  std::string RandomBytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  void Step() {
    for (size_t i = 0; i < 2; i++) {
      ends[i].Turn(now_);
      for (std::vector<uint8_t>& datagram : ends[i].sent) {
        const int copies = Happens(network.lost) ? 0 : Happens(network.twice) ? 2 : 1;
        for (int copy = 0; copy < copies; copy++) {
          const uint32_t jitter = network.jitter == 0 ? 0 : static_cast<uint32_t>(random_() % network.jitter);
          flying_.push_back({steps_ + network.delay + jitter, 1 - i, datagram});
        }
      }
      ends[i].sent.clear();
    }
    steps_++;
    now_++;
    std::vector<Flying> later;
    for (Flying& datagram : flying_) {
      if (datagram.at > steps_) {
        later.push_back(std::move(datagram));
      } else {
        ends[datagram.to].conversation->Receive({datagram.bytes.data(), datagram.bytes.size()}, now_);
      }
    }
    flying_.swap(later);
  }

  void Run(uint32_t ms) {
    for (uint32_t i = 0; i < ms; i++) Step();
  }
  // Returns whether `holds` became true within five minutes of the pair's time.
  bool Until(const std::function<bool()>& holds) {
    for (int i = 0; i < 300'000 && !holds(); i++) Step();
    return holds();
  }
  // Numbers the segments of both ends from `sn` on.
  void BeginAt(uint32_t sn) {
    for (KcpEnd& end : ends) end.machine().BeginAt(sn);
  }
  void Restart(size_t end) { ends[end].conversation = std::make_unique<KcpConversation>(7, settings_); }

  std::array<KcpEnd, 2> ends;
  Network network;

 private:
  struct Flying {
    uint64_t at;
    size_t to;
    std::vector<uint8_t> bytes;
  };

  bool Happens(uint32_t percent) { return random_() % 100 < percent; }

  const KcpSettings settings_;
  std::mt19937 random_{1};
  std::vector<Flying> flying_;
  uint32_t now_;
  uint64_t steps_ = 0;
};

}  // namespace dmicro
