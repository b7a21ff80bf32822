#include "layer/tls_layer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "layer/layer_stack.h"
#include "stub_tls.h"

namespace dmicro {
namespace {

// One side: a stack with TLS by the stub.
struct Side {
  explicit Side(bool server, bool asks = false) : stack(&scratch) {
    static const OpenSsl table = stub::Table();
    TlsSettings settings;
    settings.server = server;
    settings.asks = asks;
    context = std::make_shared<TlsContext>(&table, &ctx, settings);
    auto layer = std::make_unique<TlsLayer>(context, server ? "" : "host", "");
    tls = layer.get();
    stack.Push(std::move(layer));
    if (!server) tls->Start(&scratch.out);
  }

  std::string Out() {
    std::string bytes(reinterpret_cast<char*>(scratch.out.data()), scratch.out.size());
    scratch.out.Rewind();
    return bytes;
  }

  // Receives `bytes` in chunks of `chunk`, and reads `step` bytes at a time.
  LayerStatus Take(const std::string& bytes, size_t chunk, size_t step) {
    LayerStatus status = LayerStatus::kMore;
    for (size_t at = 0; at < bytes.size(); at += chunk) {
      const std::string part = bytes.substr(at, chunk);
      stack.Feed({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
      status = Run(step);
      stack.Keep();
      if (status == LayerStatus::kFailed) break;
    }
    return status;
  }

  LayerStatus Run(size_t step) {
    std::vector<uint8_t> to(step);
    for (;;) {
      size_t n = 0;
      const LayerStatus status = stack.Receive(to.data(), step, &n);
      clear.append(reinterpret_cast<char*>(to.data()), n);
      if (status == LayerStatus::kEvent) {
        events.push_back(stack.TakeEvent());
        continue;
      }
      if (status != LayerStatus::kMore || !stack.Pending()) return status;
    }
  }

  ssl_ctx_st ctx;
  LayerScratch scratch;
  std::shared_ptr<TlsContext> context;
  LayerStack stack;
  TlsLayer* tls;
  std::string clear;
  std::vector<LayerEvent> events;
};

void Connect(Side* client, Side* server, size_t chunk = 100'000) {
  server->Take(client->Out(), chunk, 100);
  client->Take(server->Out(), chunk, 100);
}

Bytes View(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

TEST_CASE("tls layer: bytes pass in all chunks and steps, the end in order is seen, and nothing is left") {
  const int before = stub::state().connections;
  for (size_t chunk : {1u, 3u, 50u, 100000u}) {
    for (size_t step : {1u, 7u, 5000u, 100000u}) {
      Side client(false), server(true);
      Connect(&client, &server, chunk);
      CHECK(server.events.size() == 1);
      CHECK(client.events.size() == 1);
      std::string sent;
      for (size_t size : {0u, 1u, 90u, 4096u, 4097u, 20000u}) {
        const std::string body(size, static_cast<char>('a' + size % 26));
        sent += body;
        REQUIRE(client.stack.Send(View(body)));
      }
      client.stack.End();
      client.stack.End();
      CHECK(server.Take(client.Out(), chunk, step) == LayerStatus::kEnded);
      CHECK(server.clear == sent);
      CHECK(server.stack.Ended());
      CHECK(!client.stack.Ended());
      CHECK_FALSE(client.stack.Send(View("late")));
    }
  }
  CHECK(stub::state().connections == before);
}

TEST_CASE("tls layer: the facts of a handshake are laid out as JavaScript reads them") {
  Side client(false), server(true);
  Connect(&client, &server);
  REQUIRE(server.events.size() == 1);
  CHECK(server.events[0].kind == kTlsSecure);
  CHECK(server.events[0].payload == std::string("\x03\x04\0\0\0\0\0\x02p1", 10));
}

TEST_CASE("tls layer: a hello is reported and waits for its answer, whatever came behind it") {
  for (const bool refuse : {false, true}) {
    Side client(false), server(true, true);
    CHECK(server.Take(client.Out(), 4, 100) == LayerStatus::kWait);
    REQUIRE(server.events.size() == 1);
    CHECK(server.events[0].kind == kTlsHello);
    CHECK(server.events[0].payload == std::string("\0\x04host\x02p1\x02p2", 12));
    CHECK(server.Run(100) == LayerStatus::kWait);
    CHECK(server.stack.Pending());
    server.tls->Answer(refuse, nullptr, "");
    server.tls->Answer(!refuse, nullptr, "");  // the first answer counts
    CHECK(server.Run(100) == (refuse ? LayerStatus::kFailed : LayerStatus::kMore));
    CHECK(server.events.size() == (refuse ? 1 : 2));
  }
}

TEST_CASE("tls layer: a bad record fails the layer with OpenSSL's code and its alert, and for good") {
  Side client(false), server(true);
  Connect(&client, &server);
  REQUIRE(client.stack.Send(View("hello")));
  std::string record = client.Out();
  record[4] ^= 1;
  CHECK(server.Take(record, 100, 100) == LayerStatus::kFailed);
  CHECK(server.stack.Error() == static_cast<int32_t>(stub::kBadRecord));
  CHECK(server.Out()[0] == 'a');
  CHECK(server.Take("dxx", 100, 100) == LayerStatus::kFailed);
  CHECK_FALSE(server.stack.Send(View("more")));
  server.stack.End();
  CHECK(server.Out().empty());
}

TEST_CASE("tls layer: what follows the end is dropped") {
  Side client(false), server(true);
  Connect(&client, &server);
  client.stack.End();
  const std::string end = client.Out();
  CHECK(server.Take(end + end + "garbage", 100, 100) == LayerStatus::kEnded);
  CHECK_FALSE(server.stack.Pending());
  CHECK(server.clear.empty());
}

TEST_CASE("tls layer: nothing is sent before the handshake is done") {
  Side client(false);
  client.Out();
  CHECK_FALSE(client.stack.Send(View("early")));
  client.stack.End();
  CHECK(client.Out().empty());
}

}  // namespace
}  // namespace dmicro
