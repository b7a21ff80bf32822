#include <algorithm>
#include <string>
#include <vector>

#include "kcp/link.h"
#include "kcp/script.h"
#include "message.h"

// Checks KCP: segments, FEC and sessions. The same script has the same log, memory stays within the window, nothing is
// larger than the settings say, and what a peer sends never reads a byte outside of its datagram.
//
// The first bytes of the input choose the circumstances, the rest is a script (native/kcp/script.h), or datagrams
// behind their lengths for a session and for the door of a listener.

namespace dmicro {
namespace {

enum Choice : size_t { kWhat, kFec, kFlags, kWindow, kMtu, kChoices };

constexpr uint32_t kWindows[] = {1, 2, 16, 32, 128, 4096};
constexpr uint32_t kMtus[] = {64, 128, 576, 1400, 1472};
constexpr uint32_t kGroups[][2] = {{0, 0}, {10, 3}, {1, 1}, {2, 2}, {5, 2}, {100, 50}};

KcpSettings SettingsOf(const uint8_t* choices) {
  KcpSettings settings;
  const uint32_t* const group = kGroups[choices[kFec] % std::size(kGroups)];
  settings.fec_data = group[0];
  settings.fec_parity = group[1];
  settings.no_delay = (choices[kFlags] & 1) != 0;
  settings.congestion = (choices[kFlags] & 2) != 0;
  settings.resend = (choices[kFlags] >> 2) & 3;
  settings.interval = (choices[kFlags] & 16) != 0 ? 10 : 100;
  settings.dead_link = 5;
  settings.window = kWindows[choices[kWindow] % std::size(kWindows)];
  settings.mtu = kMtus[choices[kMtu] % std::size(kMtus)];
  return settings;
}

class Sink final : public KcpOutput {
 public:
  explicit Sink(size_t most) : most_(most) {}
  uint8_t* Begin(size_t most) override {
    Require(most <= most_, "no datagram larger than the settings say");
    datagram_.assign(most, 0);  // of exactly that size, so that one byte too many is seen
    datagram_.shrink_to_fit();
    return datagram_.data();
  }
  void Commit(size_t size) override { Require(size != 0 && size <= datagram_.size(), "a datagram has its size"); }

 private:
  const size_t most_;
  std::vector<uint8_t> datagram_;
};

void CheckScript(const KcpSettings& settings, Bytes script) {
  const std::vector<uint8_t> log = RunKcpScript(settings, 7, script);
  Require(RunKcpScript(settings, 7, script) == log, "the same log again");
}

void CheckLink(const KcpSettings& settings, bool dialled, Bytes input) {
  KcpLink link(7, settings, {dialled, false}, 0, 1000);
  Sink sink(KcpConversation::Largest(settings) + SegmentHeader::kSize);
  KcpDoor door({1, 2});
  uint64_t now = 1000;
  std::vector<uint8_t> stream(1000);
  while (input.size >= 3) {
    const size_t size = std::min<size_t>(LoadLittle16(input.data) % 1600, input.size - 3);
    now += input.data[2] * 40u;
    const std::vector<uint8_t> datagram(input.data + 3, input.data + 3 + size);
    input = {input.data + 3 + size, input.size - 3 - size};
    const Bytes bytes{datagram.data(), datagram.size()};
    door.Meet({stream.data(), 4}, bytes, 32, now, size % 2 == 0);
    link.Take(bytes, now);
    Require(link.machine().Received() <= settings.window, "no more than the window is kept");
    size_t n = 0;
    if (size % 3 != 0) link.Receive(nullptr, stream.data(), stream.size(), &n, nullptr);
    if (size % 5 == 0) link.Send({stream.data(), stream.size()}, nullptr);
    if (size % 97 == 0) link.End(nullptr);
    link.Turn(now, &sink);
    Require(link.Due(now) >= now, "nothing is due in the past");
    if (link.failure() != LinkFailure::kNone || link.Finished()) break;
  }
  link.SendLast(now, &sink);
}

}  // namespace
}  // namespace dmicro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dmicro;
  if (size < kChoices) return 0;
  const KcpSettings settings = SettingsOf(data);
  const Bytes rest{data + kChoices, size - kChoices};
  if (data[kWhat] % 3 == 0) {
    CheckScript(settings, rest);
  } else {
    CheckLink(settings, data[kWhat] % 3 == 1, rest);
  }
  return 0;
}
