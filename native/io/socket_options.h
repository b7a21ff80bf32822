#pragma once

#include <uv.h>

#include <cstdint>

namespace dmicro {

// What a socket is asked for. src/socket-options.ts has meaning, defaults and bounds.
struct SocketOptions {
  bool no_delay = true;
  uint32_t keep_alive = 0;      // seconds of silence before the first probe; 0: none
  uint32_t receive_buffer = 0;  // bytes; 0: the system's choice
  uint32_t send_buffer = 0;

  bool Sized() const { return receive_buffer != 0 || send_buffer != 0; }
};

// src/transport.ts has the same numbers; the loader compares.
enum class SocketOption : uint8_t { kNoDelay, kKeepAlive, kReceiveBuffer, kSendBuffer };
inline constexpr uint32_t kSocketOptions = 4;

// 0 or a libuv error code. Unix sockets have neither delay nor keep-alive: for them these two do nothing.
int SetSocketOption(uv_handle_t* handle, SocketOption option, uint32_t value);

// Sizes that were asked for. What the system refuses stays as it was: a connection is worth more than its tuning.
void SizeBuffers(uv_handle_t* handle, const SocketOptions& options);

// All of a connection that was just opened; likewise.
void ApplySocketOptions(uv_handle_t* handle, const SocketOptions& options);

// Closing then ends the connection at once and frees its port, which an end in order keeps for a minute (TIME-WAIT).
void ResetOnClose(uv_handle_t* handle);

// What the system has: noDelay, keepAlive, seconds of silence, receiveBuffer, sendBuffer; -1 where the descriptor has
// no such option.
inline constexpr uint32_t kSocketFacts = 5;
void ReadSocketOptions(int descriptor, int32_t facts[kSocketFacts]);

}  // namespace dmicro
