#pragma once

namespace dmicro_bench {

// The key of RFC 6455 §1.3 and what a server must make of it: the handshake protects caches, not us.
inline constexpr const char* kWebSocketKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr const char* kWebSocketAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace dmicro_bench
