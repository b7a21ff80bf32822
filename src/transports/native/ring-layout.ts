import { Framing, SocketOption } from '../../transport.ts'

/**
 * Where things are in the memory shared with the C++ core: int32 words. native/io/ring_layout.h says the same;
 * `checkLayout` compares the numbers a binary was built with, so a stale binary is refused instead of misread.
 */

export const OUTBOX_SIZE = 1024 * 1024
export const MAX_SENDS = 4096
export const REC_WORDS = 16
export const SEND_WORDS = 16

/** Words of one record. */
export const Rec = {
  Slot: 0,
  Generation: 1,
  Kind: 2,
  /** Kind accept: the listener's token; close: CloseReason. */
  Seq: 3,
  /** Kind close: errno (negative), or 0. */
  Route: 4,
  /** type | codec << 8 | TextHint << HINT_SHIFT */
  Bits: 5,
  BodyStart: 6,
  BodyEnd: 7,
  /** Kind accept and connect: the local address. */
  MetaStart: 8,
  MetaEnd: 9,
  StatusStart: 10,
  StatusEnd: 11,
  /** Kind accept and connect: the remote address. */
  NameStart: 12,
  NameEnd: 13,
  Large: 14,
} as const

/** Writable: a connection of which too many replies were unsent may be asked again. */
export const Kind = { Message: 0, Accept: 1, Connect: 2, Close: 3, Writable: 4 } as const

export const HINT_SHIFT = 16
/** Of `Snd.Bits` with type WHOLE: the bytes answer the peer. */
export const ANSWER_BIT = 1 << 8

/** Connections of one core. */
const MAX_SLOTS = 1 << 20

const FRAMINGS = Object.keys(Framing).length
const SOCKET_OPTIONS = Object.keys(SocketOption).length

/** Words of one message to send. */
export const Snd = {
  Slot: 0,
  Generation: 1,
  Bits: 2,
  Seq: 3,
  Route: 4,
  BodyStart: 5,
  BodySize: 6,
  MetaStart: 7,
  MetaSize: 8,
  StatusStart: 9,
  StatusSize: 10,
  NameStart: 11,
  NameSize: 12,
} as const

/** Words of the control block. Sends and outbox are filled from their base on, which moves when a core has several parts of them. */
export const Ctl = { SendBase: 0, SendNext: 1, OutboxBase: 2, OutboxNext: 3, First: 4, Count: 5, Generation: 6 } as const

/** True when the binary that offers `layout` was built with the numbers above. */
export function checkLayout(layout: readonly number[]): boolean {
  const ours = [OUTBOX_SIZE, MAX_SENDS, REC_WORDS, SEND_WORDS, FRAMINGS, SOCKET_OPTIONS, MAX_SLOTS]
  return layout.length === ours.length && ours.every((n, i) => layout[i] === n)
}
