#pragma once

#include <vector>

#include "kcp/conversation.h"

namespace dmicro {

// Runs a script of calls on one conversation and returns what came of it, for tests: the fuzz target, and the
// comparison with the twin in TypeScript (test/support/kcp-script.ts), whose log must be the same. All numbers are
// little-endian. A script ends at the first operation that is unknown or cut off.
//
//   00 u32 ms           time passes
//   01 u16 n, n bytes   a datagram is received
//   02 u16 n, n bytes   bytes are sent
//   03                  flush
//   04                  flush of acknowledgements
//   05 u16 n            at most n segments are read
//   06                  the peer's window is asked for
//   07                  segments are marked
//   08                  the peer acknowledges at once
//   09 u32 sn           segments are numbered from here on, unless there were some
//
// For each operation the log has: for each datagram that is sent 44, u16 size, bytes; for each segment that is read 52,
// u16 size, bytes; then 53 and as u32 snd_una, snd_nxt, rcv_nxt, peer's window, congestion window, timeout, round trip,
// segments not acknowledged, flush that is wanted, flags (1 dead, 2 lost, 4 no repair), ms until something is due.
std::vector<uint8_t> RunKcpScript(const KcpSettings& settings, uint32_t conv, Bytes script);

}  // namespace dmicro
