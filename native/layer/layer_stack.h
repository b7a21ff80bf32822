#pragma once

#include <memory>
#include <vector>

#include "layer/layer.h"

namespace dmicro {

// Memory that all stacks of one thread share.
struct LayerScratch {
  ByteQueue out;               // bytes for the socket
  ByteQueue between;           // bytes that pass from one layer to the one below
  std::vector<uint8_t> clear;  // bytes that pass from one layer to the one above
};

// The layers of one connection, the one next to the socket first. Owned by the connection; a connection without layers
// has no stack. Bytes that cannot be used at once are kept here: at most those of one read, and what one layer makes of
// them.
class LayerStack {
 public:
  // `source`: the lowest layer has bytes of its own, and is fed by nobody.
  explicit LayerStack(LayerScratch* scratch, bool source = false) : scratch_(scratch), source_(source) {}

  // Adds a layer above all others.
  void Push(std::unique_ptr<Layer> layer) { levels_.push_back({std::move(layer), {}, {}, true}); }
  Layer* top() { return levels_.back().layer.get(); }
  Layer* bottom() { return levels_.front().layer.get(); }

  // Gives bytes that the socket received. Borrowed until Keep is called.
  void Feed(Bytes bytes);
  // Receives at most `size` bytes for the framing. What must be sent is appended to the scratch's `out`. Call until
  // Pending is false or the status is another than kMore and kEvent.
  LayerStatus Receive(uint8_t* to, size_t size, size_t* n);
  // Returns whether bytes were received that the layers have not used completely.
  bool Pending() const { return pending_; }
  // The lowest layer, a source, has bytes.
  void Wake() { pending_ = true; }
  // Copies the bytes that are not used yet.
  void Keep();

  // Appends what carries `bytes` to the scratch's `out`.
  bool Send(Bytes bytes) { return SendFrom(levels_.size(), bytes); }
  // Where the topmost layer appends what it sends by itself, and what passes that on to the layers below.
  ByteQueue* OutOfTop() { return levels_.size() == 1 ? &scratch_->out : &scratch_->between; }
  bool PassFromTop() { return levels_.size() == 1 || PassDown(levels_.size() - 1); }
  // Appends the ends of all layers, the topmost first, to the scratch's `out`.
  void End();
  // Returns whether the peer has ended its direction in order. A FIN is the end of a direction only then.
  // With a source that is for the topmost layer to say: the source's own end may be anybody's word.
  bool Ended() const { return ended_ || (source_ ? levels_.back() : levels_.front()).layer->Ended(); }
  LayerEvent TakeEvent() { return levels_[active_].layer->TakeEvent(); }
  int32_t Error() const { return levels_[active_].layer->Error(); }

 private:
  struct Level {
    std::unique_ptr<Layer> layer;
    Bytes in;                         // bytes from below that are not used yet
    std::unique_ptr<ByteQueue> kept;  // memory of `in`, when it is not borrowed
    bool more = true;                 // the layer may have something to say without more bytes from below
  };

  LayerStatus ReceiveAt(size_t level, uint8_t* to, size_t size, size_t* n);
  bool SendFrom(size_t level, Bytes bytes);
  bool PassDown(size_t level);

  LayerScratch* const scratch_;
  const bool source_;
  std::vector<Level> levels_;
  size_t active_ = 0;  // level whose status was returned last
  bool pending_ = false;
  bool ended_ = false;
};

}  // namespace dmicro
