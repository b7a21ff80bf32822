#include <doctest/doctest.h>

#include <set>
#include <utility>

#include "io/web_socket.h"
#include "layer/tls_layer.h"
#include "stub_tls.h"
#include "threads.h"

// TLS and WebSockets of reactors on threads of their own. What connections of several threads share is a TlsContext.

namespace dmicro {
namespace {

constexpr size_t kConnections = 12, kMessages = 300;
constexpr std::string_view kHello = "hello!";

std::shared_ptr<TlsContext> ContextOf(ssl_ctx_st* context, bool server) {
  static const OpenSsl table = stub::Table();
  TlsSettings settings;
  settings.server = server;
  settings.asks = server;
  return std::make_shared<TlsContext>(&table, context, settings);
}

// Puts TLS on a connection that was opened paused, as the addon does.
void Begin(Threads::Side* side, int32_t slot, int32_t generation, std::shared_ptr<TlsContext> context) {
  side->thread.Post([=](Reactor* reactor) {
    auto layer = std::make_unique<TlsLayer>(context, "", context->settings().server ? "" : "a server");
    TlsLayer* const tls = layer.get();
    if (!reactor->PushLayer(slot, generation, std::move(layer))) return;
    if (!context->settings().server) {
      reactor->UseLayers(slot, generation, [tls](LayerStack*, ByteQueue* out) { tls->Start(out); });
    }
    reactor->ResumeReading(slot, generation);
  });
}

void Answer(Threads::Side* side, int32_t slot, int32_t generation) {
  side->thread.Post([=](Reactor* reactor) {
    reactor->UseLayers(slot, generation, [](LayerStack* layers, ByteQueue*) {
      static_cast<TlsLayer*>(layers->bottom())->Answer(false, nullptr, "p1");
    });
  });
}

void BeginWebSocket(Threads::Side* side, int32_t slot, int32_t generation, uint32_t flags) {
  side->thread.Post(
      [=](Reactor* reactor) { reactor->SetFraming(slot, generation, Framing::kRaw, kHello.size(), flags); });
}

// What the connections have below their messages.
struct Layers {
  bool tls, web_socket;
};

// The first two threads send every message back.
void Serve(Threads::Side* side, Layers with, std::shared_ptr<TlsContext> context) {
  const auto upgraded = std::make_shared<std::set<int32_t>>();
  side->journal.on_event = [=](const Event& event) {
    const auto [slot, generation] = std::pair(event.slot, event.generation);
    if (event.kind == kAccept && with.tls) Begin(side, slot, generation, context);
    if (event.kind == kLayer && event.bits == kTlsHello) Answer(side, slot, generation);
    if (event.kind != kMessage) return;
    const bool handshake = with.web_socket && upgraded->insert(slot).second;
    Queue(side, slot, generation, event.body, handshake ? kTypeUnparsed : kTypePush);
    if (handshake) BeginWebSocket(side, slot, generation, kWsServer);
  };
}

// The other two dial, send messages, and end each connection when the last one is back.
void Call(Threads::Side* side, Layers with, std::shared_ptr<TlsContext> context) {
  const auto answers = std::make_shared<std::vector<size_t>>(kConnections);
  const auto upgraded = std::make_shared<std::set<int32_t>>();
  const auto send = [=](int32_t slot, int32_t generation) {
    for (size_t i = 0; i < kMessages; i++) Queue(side, slot, generation, std::to_string(i));
  };
  const auto begin = [=](int32_t slot, int32_t generation) {
    if (with.web_socket) {
      Queue(side, slot, generation, kHello, kTypeUnparsed);
    } else {
      send(slot, generation);
    }
  };
  side->journal.on_event = [=](const Event& event) {
    const auto [slot, generation] = std::pair(event.slot, event.generation);
    if (event.kind == kConnect && with.tls) Begin(side, slot, generation, context);
    if (event.kind == kConnect && !with.tls) begin(slot, generation);
    if (event.kind == kLayer && event.bits == kTlsSecure) begin(slot, generation);
    if (event.kind != kMessage) return;
    if (with.web_socket && upgraded->insert(slot).second) {
      CHECK(event.body == kHello);
      BeginWebSocket(side, slot, generation, kWsClient);
      send(slot, generation);
      return;
    }
    size_t& next = (*answers)[static_cast<size_t>(slot)];
    CHECK(event.body == std::to_string(next++));
    if (next == kMessages) {
      side->thread.Post([slot = slot, generation = generation](Reactor* reactor) { reactor->End(slot, generation); });
    }
  };
}

// Returns the number of connections that were closed, of both sides, after every message has come back.
size_t Exchange(Layers with) {
  ssl_ctx_st server_context, client_context;
  const auto server = ContextOf(&server_context, true), client = ContextOf(&client_context, false);
  Threads threads(4);
  WireLimits limits = kWire;
  limits.paused = with.tls;
  if (with.web_socket) limits.frame.framing = Framing::kPeek;
  const int port = ListenOn(&threads, 0, {&threads.sides[0]->thread, &threads.sides[1]->thread}, limits);
  for (size_t i = 0; i < 2; i++) {
    Serve(threads.sides[i].get(), with, server);
    Call(threads.sides[2 + i].get(), with, client);
  }
  for (size_t i = 0; i < kConnections; i++) {
    threads.sides[2 + i % 2]->thread.Post([=](Reactor* reactor) {
      int32_t generation;
      reactor->Dial({false, "127.0.0.1", port}, limits, &generation);
    });
  }
  threads.Until([&] { return threads.Count(kClose) == 2 * kConnections; });
  return threads.Count(kClose);
}

TEST_CASE("layers on threads: TLS connections share their contexts, and every message comes back in order") {
  const int connections = stub::state().connections;
  CHECK(Exchange({true, false}) == 2 * kConnections);
  CHECK(stub::state().connections == connections);
  CHECK(stub::state().sessions == 0);
}

TEST_CASE("layers on threads: WebSockets, and WebSockets over TLS") {
  CHECK(Exchange({false, true}) == 2 * kConnections);
  CHECK(Exchange({true, true}) == 2 * kConnections);
}

}  // namespace
}  // namespace dmicro
