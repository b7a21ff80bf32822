/**
 * Where things are in the memory shared with the C++ core: int32 words. native/io/ring_layout.h says the same;
 * `checkLayout` compares the numbers a binary was built with, so a stale binary is refused instead of misread.
 */

export const INBOX_SIZE = 1024 * 1024
export const OUTBOX_SIZE = 1024 * 1024
export const MAX_RECORDS = 4096
export const MAX_SENDS = 4096
export const REC_WORDS = 16
export const SEND_WORDS = 16

/** Words of one record. */
export const Rec = {
  Slot: 0,
  Generation: 1,
  Kind: 2,
  /** Kind accept: listener id; close: CloseReason; unsent: bytes. */
  Seq: 3,
  /** Kind close: errno (negative), or 0. */
  Route: 4,
  /** type | codec << 8 | TextHint << HINT_SHIFT */
  Bits: 5,
  BodyStart: 6,
  BodyEnd: 7,
  MetaStart: 8,
  MetaEnd: 9,
  StatusStart: 10,
  StatusEnd: 11,
  NameStart: 12,
  NameEnd: 13,
  Large: 14,
} as const

export const Kind = { Message: 0, Accept: 1, Connect: 2, Close: 3, Unsent: 4 } as const

export const HINT_SHIFT = 16

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

/** Words of the control block. */
export const Ctl = { SendCount: 0, OutboxUsed: 1, First: 2, Count: 3, Generation: 4 } as const

/** True when the binary that offers `layout` was built with the numbers above. */
export function checkLayout(layout: readonly number[]): boolean {
  const ours = [INBOX_SIZE, OUTBOX_SIZE, MAX_RECORDS, MAX_SENDS, REC_WORDS, SEND_WORDS]
  return layout.length === ours.length && ours.every((n, i) => layout[i] === n)
}
