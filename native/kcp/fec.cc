#include "kcp/fec.h"

#include <algorithm>
#include <cstring>

#include "kcp/segment.h"

namespace dmicro {
namespace {

// Parity is sent when the last two data shards of a group are closer together, in ms.
constexpr int32_t kMaxLatency = 500;
constexpr uint32_t kOlderGroups = 2;

}  // namespace

FecEncoder::FecEncoder(uint32_t data, uint32_t parity)
    : data_(data),
      parity_(parity),
      matrix_(CodingMatrix(data, parity)),
      end_(UINT32_MAX / (data + parity) * (data + parity)) {}

void FecEncoder::WriteId(uint8_t* datagram, uint32_t type) {
  StoreLittle32(datagram, id_);
  StoreLittle16(datagram + 4, type);
  id_ = (id_ + 1) % end_;
}

void FecEncoder::Seal(uint8_t* datagram, size_t size, uint32_t now) {
  DMICRO_ASSERT(size >= kFecHeader && size <= UINT16_MAX);
  WriteId(datagram, kFecData);
  StoreLittle16(datagram + kFecUncovered, static_cast<uint32_t>(size - kFecUncovered));
  const uint8_t* const shard = datagram + kFecUncovered;
  const size_t shard_size = size - kFecUncovered;
  if (count_ == 0) {
    ready_ = next_parity_ = 0;
    longest_ = 0;
    std::fill(sums_.begin(), sums_.end(), static_cast<uint8_t>(0));
  }
  if (shard_size > capacity_) {
    std::vector<uint8_t> sums(parity_ * shard_size);
    for (size_t row = 0; row < parity_ && capacity_ != 0; row++)
      std::copy_n(sums_.data() + row * capacity_, capacity_, sums.data() + row * shard_size);
    sums_.swap(sums);
    capacity_ = shard_size;
  }
  longest_ = std::max(longest_, shard_size);
  for (size_t row = 0; row < parity_; row++)
    AddProduct(sums_.data() + row * capacity_, shard, shard_size, matrix_->Row(data_ + row)[count_]);
  const bool continuous = sent_ && Distance(now, latest_) < kMaxLatency;
  sent_ = true;
  latest_ = now;
  if (++count_ < data_) return;
  count_ = 0;
  if (continuous) {
    ready_ = parity_;
  } else {
    id_ = (id_ + parity_) % end_;  // late parity is of no use, but ids keep their places in the groups
  }
}

void FecEncoder::TakeParity(uint8_t* datagram) {
  DMICRO_ASSERT(HasParity());
  WriteId(datagram, kFecParity);
  std::memcpy(datagram + kFecUncovered, sums_.data() + next_parity_++ * capacity_, longest_);
}

FecDecoder::FecDecoder(uint32_t data, uint32_t parity)
    : data_(data), size_(data + parity), matrix_(CodingMatrix(data, parity)), wrap_(UINT32_MAX / size_) {}

void FecDecoder::Take(Bytes datagram, const std::function<void(Bytes shard)>& repaired) {
  if (off_) return;
  const uint32_t id = LoadLittle32(datagram.data);
  const uint32_t place = id % size_;
  const uint32_t number = id / size_;
  const bool parity = datagram.data[4] == kFecParity;
  if (parity != (place >= data_)) {
    off_ = true;
    groups_.clear();
    return;
  }
  Group* const group = number < wrap_ ? Find(number) : nullptr;
  if (group == nullptr || group->done) return;
  for (const Shard& shard : group->shards) {
    if (shard.place == place) return;
  }
  const Bytes shard{datagram.data + kFecUncovered, datagram.size - kFecUncovered};
  group->shards.push_back({place, static_cast<uint32_t>(group->bytes.size()), static_cast<uint32_t>(shard.size)});
  group->bytes.insert(group->bytes.end(), shard.data, shard.data + shard.size);
  if (group->shards.size() < data_) return;
  group->done = true;
  Repair(group, repaired);
  group->shards.clear();
  group->bytes.clear();
}

// Returns the group with this number, a new one if need be; null when it is too old.
FecDecoder::Group* FecDecoder::Find(uint32_t number) {
  const auto ahead_of = [this](uint32_t a, uint32_t b) {
    return static_cast<uint32_t>((uint64_t{a} + wrap_ - b) % wrap_);
  };
  const uint32_t ahead = ahead_of(number, newest_);
  if (uint64_t{ahead} * 2 >= wrap_) {
    if (wrap_ - ahead > kOlderGroups) return nullptr;
  } else if (ahead > 0) {
    newest_ = number;
    for (Group& group : groups_) {
      if (ahead_of(newest_, group.number) > kOlderGroups) group.live = false;  // for good: numbers wrap around
    }
  }
  Group* unused = nullptr;
  for (Group& group : groups_) {
    if (!group.live) {
      unused = &group;
    } else if (group.number == number) {
      return &group;
    }
  }
  if (unused == nullptr) {
    groups_.emplace_back();
    unused = &groups_.back();
  }
  unused->number = number;
  unused->live = true;
  unused->done = false;
  unused->shards.clear();
  unused->bytes.clear();
  return unused;
}

void FecDecoder::Repair(Group* group, const std::function<void(Bytes shard)>& repaired) {
  std::sort(group->shards.begin(), group->shards.end(),
            [](const Shard& a, const Shard& b) { return a.place < b.place; });
  const std::vector<Shard>& shards = group->shards;
  if (shards.back().place == data_ - 1) return;  // no data is missing
  size_t longest = 0;
  for (const Shard& shard : shards) longest = std::max<size_t>(longest, shard.size);
  GaloisMatrix rows(data_, data_), inverse(data_, data_);
  for (size_t i = 0; i < data_; i++) std::copy_n(matrix_->Row(shards[i].place), data_, rows.Row(i));
  if (!Invert(&rows, &inverse)) return;
  size_t next = 0;
  std::vector<uint8_t> made;
  for (uint32_t place = 0; place < data_; place++) {
    if (shards[next].place == place) {
      next++;
      continue;
    }
    made.assign(longest, 0);
    for (size_t i = 0; i < data_; i++)
      AddProduct(made.data(), group->bytes.data() + shards[i].start, shards[i].size, inverse.Row(place)[i]);
    repaired({made.data(), longest});
  }
}

}  // namespace dmicro
