import { CloseReason } from '../message/close-reason.ts'
import { type Incoming, MessageType } from '../message/message.ts'
import { findName } from '../message/names.ts'
import { spells } from './bytes.ts'
import { EMPTY_META, HEADER_BYTES, MIN_FRAME_BYTES, OK_STATUS, RAW_VERSION } from './raw.ts'

/** The limits that decide whether a frame is legal. `limits.ts` has meaning and defaults. */
export interface FrameLimits {
  readonly maxMessage: number
  readonly maxFilters: number
}

const okStatus = Buffer.from(OK_STATUS)
const emptyMeta = Buffer.from(EMPTY_META)

/**
 * Reads the frame that starts at `start` into `into`, as offsets: no string and no object is made. A frame with
 * transfer filters is left unparsed (`Incoming.setUnparsed`).
 *
 * A bad length is refused on its 4 bytes, a bad version on the 5th, too many filters on the 6th, so that a peer cannot
 * make us wait for, or buffer, a frame that will be refused. The result never depends on how the bytes were cut.
 * @returns the frame's size; 0 when the frame is incomplete at `end`; or `-CloseReason` when no further bytes could
 *   make it legal
 */
export function unpackFrame(buffer: Buffer, start: number, end: number, limits: FrameLimits, into: Incoming): number {
  const refused = checkHeader(buffer, start, end, limits)
  if (refused !== 0) return refused
  if (end - start < HEADER_BYTES) return 0
  const total = frameLength(buffer, start)
  if (end - start < total) return 0
  if (buffer[start + 5] !== 0) {
    into.setUnparsed(buffer, start, start + total)
    return total
  }
  const failed = unpackFields(buffer, start + HEADER_BYTES, start + total, into)
  return failed === 0 ? total : failed
}

/** The announced size of the frame at `start`. Requires 4 bytes. */
export function frameLength(buffer: Buffer, start: number): number {
  return ((buffer[start] << 24) | (buffer[start + 1] << 16) | (buffer[start + 2] << 8) | buffer[start + 3]) >>> 0
}

/**
 * Checks a header, of which the part before `end` is there.
 * @returns 0, or `-CloseReason` when that part is already wrong
 */
export function checkHeader(buffer: Buffer, start: number, end: number, limits: FrameLimits): number {
  const have = end - start
  if (have < 4) return 0
  const total = frameLength(buffer, start)
  if (total < MIN_FRAME_BYTES) return -CloseReason.TooShort
  if (total > limits.maxMessage) return -CloseReason.TooLarge
  if (have < 5) return 0
  if (buffer[start + 4] !== RAW_VERSION) return -CloseReason.Version
  if (have < HEADER_BYTES) return 0
  const filters = buffer[start + 5]
  if (filters > limits.maxFilters) return -CloseReason.FilterCount
  return total < HEADER_BYTES + filters ? -CloseReason.TooShort : 0
}

/**
 * Reads everything after the filters, `buffer[start, end)`, in wire order, so that the first bad field decides the
 * reason.
 * @returns 0 or `-CloseReason`
 */
export function unpackFields(buffer: Buffer, start: number, end: number, into: Incoming): number {
  // Every read is checked against `end` first.
  if (start >= end) return -CloseReason.Overrun
  let at = start + 1
  let next = at + buffer[start]
  if (next > end) return -CloseReason.Overrun
  const seq = parseSeq(buffer, at, next)
  if (seq === BAD_SEQ) return -CloseReason.Seq

  if (next >= end) return -CloseReason.Overrun
  const type = buffer[next]
  // The session decides whether types of authentication are still allowed.
  if (type < MessageType.Call || type > MessageType.AuthReply) return -CloseReason.Type

  at = next + 2
  if (at > end) return -CloseReason.Overrun
  next = at + buffer[at - 1]
  if (next > end) return -CloseReason.Overrun
  into.nameStart = at
  into.nameEnd = next

  at = next + 2
  if (at > end) return -CloseReason.Overrun
  next = at + ((buffer[at - 2] << 8) | buffer[at - 1])
  if (next > end) return -CloseReason.Overrun
  into.statusStart = at === next || spells(buffer, at, next, okStatus) ? next : at
  into.statusEnd = next

  at = next + 2
  if (at > end) return -CloseReason.Overrun
  next = at + ((buffer[at - 2] << 8) | buffer[at - 1])
  if (next > end) return -CloseReason.Overrun
  into.metaStart = at === next || spells(buffer, at, next, emptyMeta) ? next : at
  into.metaEnd = next

  if (next >= end) return -CloseReason.Overrun
  into.codec = buffer[next]
  into.bodyStart = next + 1
  into.bodyEnd = end
  into.buffer = buffer
  into.seq = seq
  into.type = type
  into.route = into.nameStart === into.nameEnd ? -1 : findName(buffer, into.nameStart, into.nameEnd)
  return 0
}

/** A value outside int32, so that no legal number equals it. */
const BAD_SEQ = 0x8000_0000

/**
 * Reads what Go's `strconv.ParseInt(text, 36, 32)` reads: an optional sign, then digits of either case. Leading zeros
 * are legal; no digit at all or a value outside int32 is not (docs/spec/wire.md#sequence-numbers).
 * @returns the number, or `BAD_SEQ`
 */
function parseSeq(buffer: Buffer, start: number, end: number): number {
  let at = start
  const sign = at < end ? buffer[at] : 0
  if (sign === MINUS || sign === PLUS) at++
  if (at >= end) return BAD_SEQ
  const most = sign === MINUS ? 0x8000_0000 : 0x7fff_ffff
  let value = 0
  for (; at < end; at++) {
    const digit = digits[buffer[at]]
    if (digit === NO_DIGIT) return BAD_SEQ
    value = value * 36 + digit
    if (value > most) return BAD_SEQ
  }
  return sign === MINUS ? -value | 0 : value
}

const PLUS = 0x2b
const MINUS = 0x2d
const NO_DIGIT = 255
const digits = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 36)
  return Number.isNaN(digit) ? NO_DIGIT : digit
})
