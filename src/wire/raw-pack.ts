import { MAX_META_BYTES, MAX_METHOD_BYTES, MAX_STATUS_BYTES } from '../base/limits.ts'
import { writeText } from '../base/text/write-text.ts'
import { Outgoing } from '../message/outgoing.ts'
import { EMPTY_META, HEADER_BYTES, OK_STATUS, RAW_VERSION } from './raw.ts'

/**
 * An OK status and empty meta with their lengths, which nearly every frame has between its service method and its
 * codec.
 */
const okAndEmpty = Buffer.concat([field16(OK_STATUS), field16(EMPTY_META)])

/**
 * Bytes of everything of fixed width, the longest sequence number, and the text that stands for an absent status and
 * meta.
 */
const FIXED_BOUND = HEADER_BYTES + 1 + 7 + 1 + 1 + okAndEmpty.length + 1

/**
 * An upper bound for the size of a frame that looks at no character, for the usual message that has room anyway. Counts
 * three bytes per UTF-16 unit, the most that UTF-8 needs.
 */
export function frameBound(name: Uint8Array, status: string, meta: string, body: string | Uint8Array | null): number {
  const bodyBound = body === null ? 0 : typeof body === 'string' ? body.length * 3 : body.length
  return FIXED_BOUND + name.length + (status.length + meta.length) * 3 + bodyBound
}

/**
 * The number of bytes that `packFrame` will write for these arguments, or -1 when a field is wider than its length
 * prefix. Go truncates such a length and corrupts the stream (docs/spec/wire.md#frame), so such a frame must not be
 * sent.
 */
export function frameSize(seq: number, name: Uint8Array, status: string, meta: string, body: string | Uint8Array | null): number {
  if (name.length > MAX_METHOD_BYTES) return -1
  const fixed = HEADER_BYTES + 1 + seqLength(seq) + 1 + 1 + name.length + 1
  const bodySize = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
  if (status === '' && meta === '') return fixed + okAndEmpty.length + bodySize
  const statusSize = Buffer.byteLength(status || OK_STATUS)
  const metaSize = Buffer.byteLength(meta || EMPTY_META)
  if (statusSize > MAX_STATUS_BYTES || metaSize > MAX_META_BYTES) return -1
  return fixed + 2 + statusSize + 2 + metaSize + bodySize
}

/**
 * Writes one frame at `offset`. Requires that `frameSize` of the same arguments is not -1 and fits into `target`.
 * `status` '' stands for OK, `meta` '' for none; lone surrogates become U+FFFD.
 * @param body a message has a body that is still to be encoded: it is written in place, in the `room` that it wants
 * @returns where the frame ends in `target`; -1 when that message must be encoded first
 */
export function packFrame(
  target: Buffer,
  offset: number,
  seq: number,
  type: number,
  name: Uint8Array,
  status: string,
  meta: string,
  codec: number,
  body: string | Uint8Array | Outgoing | null,
): number {
  let at = packSeq(target, offset + HEADER_BYTES, seq)
  target[at++] = type
  target[at++] = name.length
  // Names are short: a loop costs less than the call of `set`.
  for (let i = 0; i < name.length; i++) target[at++] = name[i]
  if (status === '' && meta === '') {
    target.set(okAndEmpty, at)
    at += okAndEmpty.length
  } else {
    at = packField16(target, at, status || OK_STATUS)
    at = packField16(target, at, meta || EMPTY_META)
  }
  target[at++] = codec
  if (typeof body === 'string') {
    at = writeText(target, body, at)
  } else if (body instanceof Outgoing) {
    at = body.write(target, at, at + body.room)
    if (at < 0) return -1
  } else if (body !== null) {
    target.set(body, at)
    at += body.length
  }
  const total = at - offset
  target[offset] = total >>> 24
  target[offset + 1] = total >>> 16
  target[offset + 2] = total >>> 8
  target[offset + 3] = total
  target[offset + 4] = RAW_VERSION
  target[offset + 5] = 0
  return at
}

function seqLength(seq: number): number {
  let length = seq < 0 ? 2 : 1
  for (let rest = magnitude(seq); rest >= 36; rest = (rest / 36) >>> 0) length++
  return length
}

/**
 * The absolute value as an unsigned number, because -2^31 has no positive int32; unsigned numbers also let V8 divide
 * integers.
 */
function magnitude(seq: number): number {
  return (seq < 0 ? -seq : seq) >>> 0
}

/** Writes u8 length + lower-case base 36 with a leading `-` when negative (docs/spec/wire.md#sequence-numbers). */
function packSeq(target: Buffer, offset: number, seq: number): number {
  const length = seqLength(seq)
  target[offset] = length
  const end = offset + 1 + length
  let rest = magnitude(seq)
  let at = end
  do {
    const digit = rest % 36
    target[--at] = digit < 10 ? 0x30 + digit : 0x57 + digit
    rest = (rest / 36) >>> 0
  } while (rest > 0)
  if (seq < 0) target[offset + 1] = 0x2d
  return end
}

/** Writes u16 length + text. The length follows from what was written, so that the text is measured once. */
function packField16(target: Buffer, offset: number, text: string): number {
  const end = writeText(target, text, offset + 2)
  const length = end - offset - 2
  target[offset] = length >>> 8
  target[offset + 1] = length
  return end
}

function field16(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text)])
}
