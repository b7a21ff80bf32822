/**
 * Bytes of a segment before its data: conv u32, cmd u8, frg u8, wnd u16, ts u32, sn u32, una u32, len u32, all
 * little-endian.
 */
export const OVERHEAD = 24

/** Largest datagram that is looked at, in bytes, FEC header included: Go reads no more of one. */
export const MAX_DATAGRAM = 1500

/** Kinds of segments. Go knows the first four and drops all others. */
export const Command = {
  /** Carries data. */
  Push: 81,
  /** Acknowledges the PUSH with the same `sn` and `ts`. */
  Ack: 82,
  /** Asks for a WINS. */
  Wask: 83,
  /** Tells how many segments may come. */
  Wins: 84,
  /** Nothing follows segment `sn` (docs/transports.md#kcp-between-dmicro-peers). */
  End: 85,
  /** There is no state for this conversation. */
  Reset: 86,
} as const
export type Command = (typeof Command)[keyof typeof Command]

/** Value of `frg` in segments other than data by which dmicro peers recognise each other. Go ignores it. */
export const MARK = 0xd3

/** The header of a segment. */
export interface Header {
  conv: number
  cmd: number
  frg: number
  wnd: number
  ts: number
  sn: number
  una: number
}

/** A u32 of a sequence or a clock, taken as a signed distance: negative when `a` is before `b`. */
export function distance(a: number, b: number): number {
  return (a - b) | 0
}

/** Writes a header at `at`; returns where the data goes. */
export function writeHeader(out: Buffer, at: number, header: Readonly<Header>, length: number): number {
  out.writeUInt32LE(header.conv, at)
  out[at + 4] = header.cmd
  out[at + 5] = header.frg
  out.writeUInt16LE(header.wnd, at + 6)
  out.writeUInt32LE(header.ts, at + 8)
  out.writeUInt32LE(header.sn, at + 12)
  out.writeUInt32LE(header.una, at + 16)
  out.writeUInt32LE(length, at + 20)
  return at + OVERHEAD
}

/** Reads the header at `at`, which must be there whole. */
export function readHeader(bytes: Buffer, at: number): Header {
  return {
    conv: bytes.readUInt32LE(at),
    cmd: bytes[at + 4],
    frg: bytes[at + 5],
    wnd: bytes.readUInt16LE(at + 6),
    ts: bytes.readUInt32LE(at + 8),
    sn: bytes.readUInt32LE(at + 12),
    una: bytes.readUInt32LE(at + 16),
  }
}

/** A datagram of one segment without data. */
export function singleSegment(header: Readonly<Header>): Buffer {
  const datagram = Buffer.allocUnsafe(OVERHEAD)
  writeHeader(datagram, 0, header, 0)
  return datagram
}
