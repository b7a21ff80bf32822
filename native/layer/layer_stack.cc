#include "layer/layer_stack.h"

#include <utility>

namespace dmicro {
namespace {

constexpr size_t kClearSize = 64 * 1024;

}  // namespace

void LayerStack::Feed(Bytes bytes) {
  if (bytes.size == 0) return;
  Level& level = levels_.front();
  DMICRO_ASSERT(level.in.size == 0 || level.kept != nullptr);
  pending_ = true;
  if (level.in.size == 0) {
    level.in = bytes;
    return;
  }
  ByteQueue joined;
  joined.Append(level.in);
  joined.Append(bytes);
  level.kept->Swap(joined);
  level.in = {level.kept->data(), level.kept->size()};
}

LayerStatus LayerStack::Receive(uint8_t* to, size_t size, size_t* n) {
  const LayerStatus status = ReceiveAt(levels_.size() - 1, to, size, n);
  pending_ = *n == size || status == LayerStatus::kEvent || status == LayerStatus::kWait;
  for (const Level& level : levels_) pending_ = pending_ || level.in.size != 0;
  if (source_ && status == LayerStatus::kMore) pending_ = pending_ || bottom()->Readable();
  if (status == LayerStatus::kEnded) ended_ = true;
  return status;
}

LayerStatus LayerStack::ReceiveAt(size_t at, uint8_t* to, size_t size, size_t* n) {
  Level& level = levels_[at];
  *n = 0;
  if (at == 0) {
    active_ = 0;
    return level.layer->Receive(&level.in, to, size, n, &scratch_->out);
  }
  for (;;) {
    if (level.in.size == 0 && !level.more) {
      scratch_->clear.resize(kClearSize);
      size_t got = 0;
      const LayerStatus below = ReceiveAt(at - 1, scratch_->clear.data(), kClearSize, &got);
      if (got == 0) return below;
      level.in = {scratch_->clear.data(), got};
    }
    active_ = at;
    const size_t before = level.in.size;
    const LayerStatus status = level.layer->Receive(&level.in, to, size, n, &scratch_->between);
    if (!PassDown(at)) return LayerStatus::kFailed;
    level.more = *n == size || status == LayerStatus::kEvent || status == LayerStatus::kWait;
    if (*n != 0 || status != LayerStatus::kMore) return status;
    if (before != 0 && level.in.size == before) return status;
  }
}

void LayerStack::Keep() {
  for (Level& level : levels_) {
    if (level.in.size == 0) {
      level.kept.reset();
      level.in = {};
      continue;
    }
    // The rest of kept bytes stays where it is.
    if (level.kept != nullptr && level.in.data >= level.kept->data() &&
        level.in.data < level.kept->data() + level.kept->size())
      continue;
    auto kept = std::make_unique<ByteQueue>();
    kept->Append(level.in);
    level.in = {kept->data(), kept->size()};
    level.kept = std::move(kept);
  }
}

// Sends `bytes` of the level `above` through the layers below it.
bool LayerStack::SendFrom(size_t above, Bytes bytes) {
  const size_t at = above - 1;
  if (at == 0) return levels_[0].layer->Send(bytes, &scratch_->out);
  return levels_[at].layer->Send(bytes, &scratch_->between) && PassDown(at);
}

// Sends what the layer `at` has appended to `between`.
bool LayerStack::PassDown(size_t at) {
  if (scratch_->between.size() == 0) return true;
  ByteQueue bytes;
  bytes.Swap(scratch_->between);
  const bool sent = SendFrom(at, {bytes.data(), bytes.size()});
  if (scratch_->between.size() == 0) {
    bytes.Rewind();
    scratch_->between.Swap(bytes);  // the memory is used again
  }
  return sent;
}

void LayerStack::End() {
  for (size_t at = levels_.size(); at-- != 0;) {
    levels_[at].layer->End(at == 0 ? &scratch_->out : &scratch_->between);
    if (at != 0 && !PassDown(at)) return;
  }
}

}  // namespace dmicro
