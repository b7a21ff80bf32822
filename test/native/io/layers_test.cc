#include <doctest/doctest.h>

#include "adopted.h"
#include "mask_layer.h"

// Connections with layers below their framing.

namespace dmicro {
namespace {

// A connection with `depth` layers, pushed before its first byte is read.
Adopted Accept(Home* home, unsigned depth, WireLimits limits = kWire, int buffer = 0, bool hello = false) {
  limits.paused = true;
  Adopted made = Adopt(home, limits, buffer);
  for (unsigned i = 0; i < depth; i++) {
    REQUIRE(home->reactor.PushLayer(made.slot, made.generation,
                                    std::make_unique<MaskLayer>(static_cast<uint8_t>(1u << i), hello)));
  }
  home->reactor.ResumeReading(made.slot, made.generation);
  return made;
}

// The peer of such a connection.
class Peer {
 public:
  explicit Peer(unsigned depth) : stack_(&scratch_) {
    for (unsigned i = 0; i < depth; i++) stack_.Push(std::make_unique<MaskLayer>(static_cast<uint8_t>(1u << i)));
  }
  std::string Seal(const std::string& bytes) {
    stack_.Send({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    return Out();
  }
  std::string End() {
    stack_.End();
    return Out();
  }
  std::string Open(const std::string& sealed) {
    std::string all;
    uint8_t part[1000];
    stack_.Feed({reinterpret_cast<const uint8_t*>(sealed.data()), sealed.size()});
    size_t n;
    do {
      stack_.Receive(part, sizeof part, &n);
      all.append(reinterpret_cast<char*>(part), n);
    } while (stack_.Pending() && n != 0);
    stack_.Keep();
    return all;
  }
  bool Ended() const { return stack_.Ended(); }

 private:
  std::string Out() {
    std::string bytes(reinterpret_cast<char*>(scratch_.out.data()), scratch_.out.size());
    scratch_.out.Rewind();
    return bytes;
  }
  LayerScratch scratch_;
  LayerStack stack_;
};

TEST_CASE("layers: frames of every size pass them in both directions") {
  for (unsigned depth : {1u, 2u, 3u}) {
    Home home;
    Adopted peer = Accept(&home, depth);
    Peer far(depth);
    for (size_t size : {size_t{0}, size_t{100}, size_t{5000}, size_t{300'000}}) {
      const size_t before = home.journal.Count(kMessage);
      const std::string body(size, 'b');
      const std::string sealed = far.Seal(FrameWith(body));
      size_t put = 0;
      REQUIRE(home.Until([&] {
        put += Put(peer.far, std::string_view(sealed).substr(put));
        return home.journal.Count(kMessage) == before + 1;
      }));
      CHECK(home.journal.events.back().body == body);
      Queue(&home, peer, body);
      std::string clear;
      REQUIRE(home.Until([&] {
        clear += far.Open(TakeBytes(peer.far));
        return clear.size() > size;
      }));
      CHECK(clear.find(body) != std::string::npos);
    }
  }
}

TEST_CASE("layers: many frames of one read are all delivered, one after the other") {
  Home home;
  Adopted peer = Accept(&home, 1, kWire, 1 << 20);
  Peer far(1);
  std::string frames;
  size_t count = 0;
  for (; frames.size() < 400 * 1024; count++) frames += FrameWith(std::to_string(count));
  const std::string sealed = far.Seal(frames);
  size_t put = 0;
  REQUIRE(home.Until([&] {
    put += Put(peer.far, std::string_view(sealed).substr(put));
    return home.journal.Count(kMessage) == count;
  }));
  size_t next = 0;
  for (const Event& event : home.journal.events) {
    if (event.kind == kMessage) REQUIRE(event.body == std::to_string(next++));
  }
}

TEST_CASE("layers: bytes that were received before a pause wait, and are delivered after it") {
  Home home;
  WireLimits peeking = kWire;
  peeking.frame.framing = Framing::kPeek;
  Adopted peer = Accept(&home, 2, peeking);
  Peer far(2);
  std::string frames;
  for (int i = 0; i < 200; i++) frames += FrameWith(std::to_string(i));
  const std::string sealed = far.Seal(frames);
  REQUIRE(Put(peer.far, sealed) == sealed.size());
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));  // the bytes that are peeked at
  home.Until([turns = 0]() mutable { return ++turns > 3; });
  CHECK(home.journal.Count(kMessage) == 1);
  home.reactor.PauseReading(peer.slot, peer.generation);
  home.reactor.SetFraming(peer.slot, peer.generation, Framing::kRaw);
  home.Until([turns = 0]() mutable { return ++turns > 3; });
  CHECK(home.journal.Count(kMessage) < 201);
  home.reactor.ResumeReading(peer.slot, peer.generation);
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 201; }));
  CHECK(home.journal.events.back().body == "199");
}

TEST_CASE("layers: a FIN is an end only after the layers have ended, a loss otherwise") {
  for (const bool in_order : {true, false}) {
    Home home;
    Adopted peer = Accept(&home, 2);
    Peer far(2);
    std::string bytes = far.Seal(FrameWith("last"));
    if (in_order) bytes += far.End();
    REQUIRE(Put(peer.far, bytes) == bytes.size());
    REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
    shutdown(peer.far.number(), SHUT_WR);
    REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
    const Event* const closed = home.journal.Find(kClose, peer.slot);
    CHECK(closed->seq == static_cast<int32_t>(in_order ? CloseReason::kPeer : CloseReason::kIo));
    CHECK(closed->route == (in_order ? 0 : UV_EOF));
    far.Open(TakeBytes(peer.far));
    CHECK(far.Ended() == in_order);
  }
}

TEST_CASE("layers: ending, and destroying, ends the layers before FIN") {
  for (const bool destroy : {true, false}) {
    Home home;
    Adopted peer = Accept(&home, 2);
    Peer far(2);
    Queue(&home, peer, "last words");
    if (destroy) {
      home.reactor.Drain();
      home.reactor.Destroy(peer.slot, peer.generation, CloseReason::kLocal);
    } else {
      home.reactor.End(peer.slot, peer.generation);
    }
    std::string clear;
    REQUIRE(home.Until([&] {
      clear += far.Open(TakeBytes(peer.far));
      return far.Ended();
    }));
    CHECK(clear.find("last words") != std::string::npos);
    peer.far = OwnedDescriptor();
    REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
    CHECK(home.journal.Find(kClose, peer.slot)->seq == static_cast<int32_t>(CloseReason::kLocal));
  }
}

TEST_CASE("layers: an event is reported, and nothing more is read until it is answered") {
  Home home;
  Adopted peer = Accept(&home, 1, kWire, 0, true);
  Peer far(1);
  const std::string sealed = far.Seal(FrameWith("first"));
  REQUIRE(Put(peer.far, sealed) == sealed.size());
  REQUIRE(home.Until([&] { return home.journal.Count(kLayer) == 1; }));
  home.Until([turns = 0]() mutable { return ++turns > 3; });
  CHECK(home.journal.Count(kMessage) == 0);
  home.reactor.UseLayers(peer.slot, peer.generation,
                         [](LayerStack* layers, ByteQueue*) { static_cast<MaskLayer*>(layers->top())->Answer(); });
  REQUIRE(home.Until([&] { return home.journal.Count(kMessage) == 1; }));
  CHECK(home.journal.events.back().body == "first");
}

TEST_CASE("layers: bytes that are not the layer's close the connection, with the layer's error") {
  Home home;
  Adopted peer = Accept(&home, 1);
  REQUIRE(Put(peer.far, "GET / HTTP/1.1\r\n") == 16);
  REQUIRE(home.Until([&] { return home.journal.Count(kClose) == 1; }));
  const Event* const closed = home.journal.Find(kClose, peer.slot);
  CHECK(closed->seq == static_cast<int32_t>(CloseReason::kIo));
  CHECK(closed->route == UV_EPROTO);
  CHECK(closed->bits == MaskLayer::kBadKind);
}

TEST_CASE("layers: what a slow peer does not take is kept, and arrives in order") {
  Home home;
  Adopted peer = Accept(&home, 2, kWire, 4096);
  Peer far(2);
  std::string expected;
  for (int i = 0; i < 20; i++) {
    const std::string body = std::to_string(i) + std::string(20'000, 'x');
    Queue(&home, peer, body);
    home.reactor.Drain();
    expected += body.substr(0, 3);
  }
  CHECK(home.memory.Unsent(peer.slot) > 20'000);
  home.reactor.End(peer.slot, peer.generation);
  std::string clear;
  REQUIRE(home.Until([&] {
    clear += far.Open(TakeBytes(peer.far, 3000));
    return far.Ended();
  }));
  CHECK(clear.size() > 20 * 20'000);
  size_t at = 0;
  for (int i = 0; i < 20; i++) {
    at = clear.find(std::to_string(i) + "xxxx", at);
    REQUIRE(at != std::string::npos);
  }
}

}  // namespace
}  // namespace dmicro
