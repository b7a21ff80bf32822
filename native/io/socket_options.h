#pragma once

#include <uv.h>

#include <cstdint>

namespace dmicro {

// Options of a socket. src/transports/socket-options.ts has their meaning, defaults and bounds.
struct SocketOptions {
  bool no_delay = true;
  uint32_t keep_alive = 0;      // seconds of silence before the first probe; 0: no probes
  uint32_t receive_buffer = 0;  // bytes; 0: the system's default
  uint32_t send_buffer = 0;

  bool Sized() const { return receive_buffer != 0 || send_buffer != 0; }
};

// src/transports/transport.ts has the same numbers; the loader compares the two.
enum class SocketOption : uint8_t { kNoDelay, kKeepAlive, kReceiveBuffer, kSendBuffer };
inline constexpr uint32_t kSocketOptions = 4;

// Returns 0 or a libuv error code. Unix sockets have neither delay nor keep-alive: for them these two options do
// nothing.
int SetSocketOption(uv_handle_t* handle, SocketOption option, uint32_t value);

// Sets the requested buffer sizes. A size that the system refuses is ignored: a connection is worth more than its
// tuning.
void SizeBuffers(uv_handle_t* handle, const SocketOptions& options);

// Sets all options of a connection that was just opened. An option that the system refuses is ignored.
void ApplySocketOptions(uv_handle_t* handle, const SocketOptions& options);

// Makes closing abort the connection and free its port at once; an orderly close keeps the port for a minute
// (TIME-WAIT).
void ResetOnClose(uv_handle_t* handle);

// Reads the values that the system has: noDelay, keepAlive, seconds of silence, receiveBuffer, sendBuffer; -1 where the
// descriptor has no such option.
inline constexpr uint32_t kSocketFacts = 5;
void ReadSocketOptions(int descriptor, int32_t facts[kSocketFacts]);

}  // namespace dmicro
