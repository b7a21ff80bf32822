#include "kcp/script.h"

namespace dmicro {
namespace {

constexpr uint8_t kSent = 0x44, kRead = 0x52, kState = 0x53;
constexpr uint8_t kMark = 0xd3;

class Run final : public KcpOutput {
 public:
  Run(const KcpSettings& settings, uint32_t conv) : conversation_(conv, settings) {}

  // Returns the bytes that the operation takes; 0 when it is unknown or cut off.
  size_t Step(Bytes script) {
    Kcp& machine = conversation_.machine();
    const uint8_t operation = script.data[0];
    size_t used = 1;
    if (operation == 0) {
      if (script.size < 5) return 0;
      now_ += LoadLittle32(script.data + 1);
      used = 5;
    } else if (operation == 1 || operation == 2) {
      if (script.size < 3) return 0;
      const size_t size = LoadLittle16(script.data + 1);
      if (script.size - 3 < size) return 0;
      const Bytes bytes{script.data + 3, size};
      if (operation == 1) {
        conversation_.Receive(bytes, now_);
      } else {
        machine.Send(bytes);
      }
      used = 3 + size;
    } else if (operation == 3 || operation == 4) {
      conversation_.Flush(operation == 3, now_, this);
    } else if (operation == 5) {
      if (script.size < 3) return 0;
      for (uint32_t left = LoadLittle16(script.data + 1); left != 0 && machine.Readable(); left--) {
        Log(kRead, machine.Front());
        machine.PopFront();
      }
      used = 3;
    } else if (operation == 6) {
      machine.Ask();
    } else if (operation == 7) {
      machine.SetMark(kMark);
    } else if (operation == 8) {
      machine.SetPrompt();
    } else if (operation == 9) {
      if (script.size < 5) return 0;
      if (machine.snd_nxt() == 0 && machine.rcv_nxt() == 0 && machine.Unsent() == 0 && machine.Received() == 0)
        machine.BeginAt(LoadLittle32(script.data + 1));
      used = 5;
    } else {
      return 0;
    }
    LogState();
    return used;
  }

  uint8_t* Begin(size_t most) override {
    datagram_.resize(most);
    return datagram_.data();
  }
  void Commit(size_t size) override { Log(kSent, {datagram_.data(), size}); }

  std::vector<uint8_t> log;

 private:
  void Log32(uint32_t value) {
    uint8_t bytes[4];
    StoreLittle32(bytes, value);
    log.insert(log.end(), bytes, bytes + 4);
  }
  void Log(uint8_t kind, Bytes bytes) {
    log.push_back(kind);
    log.push_back(static_cast<uint8_t>(bytes.size));
    log.push_back(static_cast<uint8_t>(bytes.size >> 8));
    log.insert(log.end(), bytes.data, bytes.data + bytes.size);
  }
  void LogState() {
    Kcp& machine = conversation_.machine();
    log.push_back(kState);
    const uint32_t flags =
        (machine.Dead() ? 1u : 0u) | (machine.Lost() ? 2u : 0u) | (conversation_.RepairOff() ? 4u : 0u);
    for (const uint32_t value :
         {machine.snd_una(), machine.snd_nxt(), machine.rcv_nxt(), machine.peer_window(), machine.cwnd(), machine.rto(),
          static_cast<uint32_t>(machine.srtt()), static_cast<uint32_t>(machine.Unsent()),
          static_cast<uint32_t>(machine.wanted()), flags, machine.Due(now_)})
      Log32(value);
  }

  KcpConversation conversation_;
  std::vector<uint8_t> datagram_;
  uint32_t now_ = 0;
};

}  // namespace

std::vector<uint8_t> RunKcpScript(const KcpSettings& settings, uint32_t conv, Bytes script) {
  Run run(settings, conv);
  while (script.size != 0) {
    const size_t used = run.Step(script);
    if (used == 0) break;
    script = {script.data + used, script.size - used};
  }
  return std::move(run.log);
}

}  // namespace dmicro
