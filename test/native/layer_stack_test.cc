#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "layer/layer_stack.h"
#include "mask_layer.h"

namespace dmicro {
namespace {

Bytes View(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

std::string Take(ByteQueue* queue) {
  std::string text(reinterpret_cast<char*>(queue->data()), queue->size());
  queue->Rewind();
  return text;
}

// Receives all that the stack has, `step` bytes at a time.
std::string Drain(LayerStack* stack, size_t step, LayerStatus* last) {
  std::string all, part(step, '\0');
  size_t n;
  do {
    *last = stack->Receive(reinterpret_cast<uint8_t*>(part.data()), step, &n);
    all.append(part, 0, n);
  } while (stack->Pending() && *last == LayerStatus::kMore && n != 0);
  return all;
}

TEST_CASE("layer stack: bytes pass one layer, and several, in both directions and in all sizes") {
  for (size_t depth : {1u, 2u, 3u}) {
    for (size_t chunk : {1u, 2u, 3u, 7u, 64u, 1000u}) {
      for (size_t step : {1u, 5u, 100u, 100000u}) {
        LayerScratch scratch;
        LayerStack sender(&scratch), receiver(&scratch);
        for (size_t i = 0; i < depth; i++) {
          sender.Push(std::make_unique<MaskLayer>(static_cast<uint8_t>(1u << i)));
          receiver.Push(std::make_unique<MaskLayer>(static_cast<uint8_t>(1u << i)));
        }
        std::string sent, received;
        for (int i = 0; i < 20; i++) {
          const std::string message = "message " + std::to_string(i * 1'000'003);
          sent += message;
          REQUIRE(sender.Send(View(message)));
        }
        sender.End();
        const std::string bytes = Take(&scratch.out);
        CHECK(bytes.find("message") == std::string::npos);
        LayerStatus status = LayerStatus::kMore;
        for (size_t at = 0; at < bytes.size(); at += chunk) {
          const std::string part = bytes.substr(at, chunk);
          receiver.Feed(View(part));
          received += Drain(&receiver, step, &status);
          receiver.Keep();
        }
        CHECK(received == sent);
        CHECK(status == LayerStatus::kEnded);
        CHECK(receiver.Ended());
        CHECK(scratch.out.size() == 0);
      }
    }
  }
}

TEST_CASE("layer stack: bytes that are not used are kept, and joined with what follows") {
  LayerScratch scratch;
  LayerStack sender(&scratch), receiver(&scratch);
  sender.Push(std::make_unique<MaskLayer>(9));
  receiver.Push(std::make_unique<MaskLayer>(9));
  sender.Send(View("0123456789"));
  const std::string bytes = Take(&scratch.out);
  for (size_t at = 0; at < bytes.size(); at += 5) {
    const std::string part = bytes.substr(at, 5);
    receiver.Feed(View(part));
    receiver.Keep();
    CHECK(receiver.Pending());
  }
  LayerStatus status;
  CHECK(Drain(&receiver, 4, &status) == "0123456789");
  CHECK(!receiver.Pending());
}

TEST_CASE("layer stack: an answer of an upper layer passes the lower ones") {
  LayerScratch scratch;
  LayerStack stack(&scratch), peer(&scratch);
  for (LayerStack* each : {&stack, &peer}) {
    each->Push(std::make_unique<MaskLayer>(1));
    each->Push(std::make_unique<MaskLayer>(2));
  }
  static_cast<MaskLayer*>(peer.top())->Ping(&scratch.between);
  const std::string ping = Take(&scratch.between);
  LayerStack below(&scratch);
  below.Push(std::make_unique<MaskLayer>(1));
  below.Send(View(ping));
  const std::string bytes = Take(&scratch.out);
  stack.Feed(View(bytes));
  LayerStatus status;
  CHECK(Drain(&stack, 10, &status).empty());
  const std::string answer = Take(&scratch.out);
  CHECK(!answer.empty());
  peer.Feed(View(answer));
  CHECK(Drain(&peer, 10, &status).empty());
  CHECK(static_cast<MaskLayer*>(peer.top())->pongs == 1);
}

TEST_CASE("layer stack: a layer that fails fails the stack, with its error") {
  LayerScratch scratch;
  LayerStack stack(&scratch);
  stack.Push(std::make_unique<MaskLayer>(1));
  stack.Push(std::make_unique<MaskLayer>(2));
  LayerStack below(&scratch);
  below.Push(std::make_unique<MaskLayer>(1));
  below.Send(View("?bad"));
  const std::string bytes = Take(&scratch.out);
  stack.Feed(View(bytes));
  uint8_t to[8];
  size_t n;
  CHECK(stack.Receive(to, sizeof to, &n) == LayerStatus::kFailed);
  CHECK(stack.Error() == MaskLayer::kBadKind);
}

}  // namespace
}  // namespace dmicro
