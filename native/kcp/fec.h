#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "kcp/galois.h"
#include "wire/bytes.h"

namespace dmicro {

// Forward error correction by Reed-Solomon codes, as kcp-go has it. A datagram with FEC begins with u32 id and u16
// type; what follows is a shard. Data shards begin with their u16 size; `data` of them and `parity` shards of parity
// are a group, and any `data` shards of a group are enough to know all. All numbers are little-endian.

inline constexpr size_t kFecHeader = 8;     // bytes before the segments of a data shard
inline constexpr size_t kFecUncovered = 6;  // those of them that are not part of the shard
inline constexpr uint32_t kFecData = 0xf1, kFecParity = 0xf2;
inline constexpr size_t kMaxDatagram = 1500;  // larger ones are dropped, as Go does

// Whether a datagram of at least six bytes has a FEC header: no segment has these bytes there.
inline bool HasFecHeader(const uint8_t* datagram) {
  return datagram[5] == 0 && (datagram[4] == kFecData || datagram[4] == kFecParity);
}

// Writes headers, and makes parity. Parity is the sum of what was sent so far, so that the shards need not be kept.
class FecEncoder {
 public:
  FecEncoder(uint32_t data, uint32_t parity);

  // Writes the header at the beginning of a datagram, whose segments begin at kFecHeader. When it completes a group,
  // TakeParity has its parity until the next call.
  void Seal(uint8_t* datagram, size_t size, uint32_t now);
  // Whether parity waits, of Size bytes with its header.
  bool HasParity() const { return next_parity_ < ready_; }
  size_t ParitySize() const { return kFecUncovered + longest_; }
  void TakeParity(uint8_t* datagram);

 private:
  void WriteId(uint8_t* datagram, uint32_t type);

  const uint32_t data_, parity_;
  const std::shared_ptr<const GaloisMatrix> matrix_;
  const uint32_t end_;  // of the ids
  uint32_t id_ = 0;
  uint32_t count_ = 0;   // data shards of the group
  size_t longest_ = 0;   // bytes of its longest one
  size_t capacity_ = 0;  // of each sum
  bool sent_ = false;    // latest_ is set
  uint32_t latest_ = 0;  // when the last datagram was sealed
  uint32_t ready_ = 0, next_parity_ = 0;
  std::vector<uint8_t> sums_;
};

// Repairs losses by the parity of a peer.
class FecDecoder {
 public:
  FecDecoder(uint32_t data, uint32_t parity);

  // Takes a datagram with a FEC header and calls `repaired` with each data shard that is repaired now, lowest id first;
  // borrowed until that returns. Requires at most kMaxDatagram bytes.
  void Take(Bytes datagram, const std::function<void(Bytes shard)>& repaired);
  // Whether the peer's groups are of another size: nothing is repaired.
  bool Off() const { return off_; }
  // Frees what waits for more shards.
  void Forget() { groups_.clear(); }

 private:
  struct Shard {
    uint32_t place;
    uint32_t start, size;  // in `bytes`
  };
  struct Group {
    uint32_t number;
    bool live = true;   // false: too old, and free for another one
    bool done = false;  // enough shards came, later ones are ignored
    std::vector<Shard> shards;
    std::vector<uint8_t> bytes;
  };

  Group* Find(uint32_t number);
  void Repair(Group* group, const std::function<void(Bytes shard)>& repaired);

  const uint32_t data_, size_;
  const std::shared_ptr<const GaloisMatrix> matrix_;
  const uint32_t wrap_;  // number of groups after which ids begin again
  bool off_ = false;
  uint32_t newest_ = 0;
  std::vector<Group> groups_;  // at most kOlderGroups and the newest
};

}  // namespace dmicro
