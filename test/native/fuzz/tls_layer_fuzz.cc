#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "layer/layer_stack.h"
#include "layer/tls_layer.h"
#include "stub_tls.h"

// Feeds TLS by a stub cipher: the first two bytes of the input choose the role, the size of chunks and of reads; the
// rest comes from the socket. Whatever it is, the layer must not produce more bytes than it received, and must end.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace dmicro;
  if (size < 2) return 0;
  static const OpenSsl table = stub::Table();
  TlsSettings settings;
  settings.server = (data[0] & 1) != 0;
  settings.asks = settings.server && (data[0] & 2) != 0;
  const size_t chunk = (data[0] >> 2) + size_t{1};
  const size_t step = data[1] % 64 * size_t{37} + 1;
  data += 2;
  size -= 2;
  ssl_ctx_st ctx;
  LayerScratch scratch;
  const auto context = std::make_shared<TlsContext>(&table, &ctx, settings);
  LayerStack stack(&scratch);
  auto layer = std::make_unique<TlsLayer>(context, "host", "");
  TlsLayer* const tls = layer.get();
  stack.Push(std::move(layer));
  if (!settings.server) tls->Start(&scratch.out);
  std::vector<uint8_t> to(step);
  size_t received = 0;
  for (size_t at = 0; at < size; at += chunk) {
    const size_t part = std::min(chunk, size - at);
    // A copy of its own, so that AddressSanitizer sees one byte too many, and one that is used later.
    const std::vector<uint8_t> copy(data + at, data + at + part);
    stack.Feed({copy.data(), part});
    for (size_t rounds = 0;; rounds++) {
      if (rounds > 2 * (at + part) + 8) std::abort();
      size_t n = 0;
      const LayerStatus status = stack.Receive(to.data(), step, &n);
      received += n;
      if (n > step || received > at + part) std::abort();
      if (status == LayerStatus::kFailed) return 0;
      if (status == LayerStatus::kEvent) stack.TakeEvent();
      if (status == LayerStatus::kWait) tls->Answer((part & 1) != 0, nullptr, "");
      if (status == LayerStatus::kEnded || (status == LayerStatus::kMore && !stack.Pending())) break;
    }
    stack.Keep();
    if ((part & 3) == 0) stack.Send({data, std::min<size_t>(size, 100)});
  }
  stack.End();
  return 0;
}
