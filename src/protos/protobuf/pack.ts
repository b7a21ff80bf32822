import { MAX_META_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { writeText } from '../../base/text/write-text.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { EMPTY_META, OK_STATUS } from '../../wire/raw.ts'

/**
 * Maximum size of messages that are made in shared memory. Larger ones get their own, so that one huge message does not
 * occupy memory forever.
 */
const MAX_SCRATCH = 1024 * 1024
let scratch = Buffer.allocUnsafe(16 * 1024)

/** Maximum number of UTF-16 units for which the length of the UTF-8 fits into one byte, whatever they are. */
const SHORT = 42

/**
 * Maximum size of the rest: five tags and lengths of at most 6 bytes, the longest sequence number, type and codec, and
 * an absent status and meta.
 */
const FIXED_BOUND = 5 * 6 + 11 + 3 + 3 + 40

/**
 * An OK status and empty meta. Go always sends both fields, and refuses a message without meta
 * (docs/spec/wire.md#protobuf).
 */
const okAndEmpty = Buffer.concat([
  Buffer.from([0x22, OK_STATUS.length]),
  Buffer.from(OK_STATUS),
  Buffer.from([0x2a, EMPTY_META.length]),
  Buffer.from(EMPTY_META),
])

/**
 * Packs a message (docs/spec/wire.md#protobuf), fields in order, zero values omitted: byte for byte as Go. Lone
 * surrogates become U+FFFD.
 *
 * @returns memory that the next call may reuse
 * @throws RangeError when status or meta are over 64 KiB
 */
export function packMessage(message: Outgoing): Uint8Array {
  const { method, statusText, metaText, body } = message
  const bodySize = body === null ? 0 : typeof body !== 'string' || body.length <= SHORT ? body.length : Buffer.byteLength(body)
  const target = room(FIXED_BOUND + (method.length + statusText.length + metaText.length + SHORT) * 3 + bodySize)
  let at = packInt32(target, 0, 0x08, message.seq)
  at = packInt32(target, at, 0x10, message.type)
  if (method !== '') at = packText(target, at, 0x1a, method)
  if (statusText === '' && metaText === '') {
    target.set(okAndEmpty, at)
    at += okAndEmpty.length
  } else {
    at = packLimited(target, at, 0x22, statusText || OK_STATUS, MAX_STATUS_BYTES, 'status')
    at = packLimited(target, at, 0x2a, metaText || EMPTY_META, MAX_META_BYTES, 'meta')
  }
  at = packInt32(target, at, 0x30, message.codec)
  if (typeof body === 'string') {
    if (bodySize > SHORT) at = writeText(target, body, packLength(target, at, 0x3a, bodySize))
    else if (bodySize > 0) at = packText(target, at, 0x3a, body)
  } else if (body !== null && bodySize > 0) {
    at = packLength(target, at, 0x3a, bodySize)
    target.set(body, at)
    at += bodySize
  }
  return target.subarray(0, at)
}

function room(size: number): Buffer {
  if (size <= scratch.length) return scratch
  if (size > MAX_SCRATCH) return Buffer.allocUnsafe(size)
  scratch = Buffer.allocUnsafe(Math.min(MAX_SCRATCH, 2 * size))
  return scratch
}

/** Packs an int32: nothing for 0, ten bytes for a negative number, whose sign fills 64 bits. */
function packInt32(target: Buffer, offset: number, tag: number, value: number): number {
  if (value === 0) return offset
  if (value > 0) return packLength(target, offset, tag, value)
  target[offset] = tag
  let at = offset + 1
  for (let shift = 0; shift < 28; shift += 7) target[at++] = (value >>> shift) | 0x80
  target[at++] = (value >>> 28) | 0xf0
  target.fill(0xff, at, at + 4)
  target[at + 4] = 1
  return at + 5
}

/** Packs a tag and `length`, which may be any number from 0 to 2^31-1. */
function packLength(target: Buffer, offset: number, tag: number, length: number): number {
  target[offset] = tag
  let at = offset + 1
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) target[at++] = rest | 0x80
  target[at] = rest
  return at + 1
}

function packText(target: Buffer, offset: number, tag: number, text: string): number {
  if (text.length > SHORT) return writeText(target, text, packLength(target, offset, tag, Buffer.byteLength(text)))
  const end = writeText(target, text, offset + 2)
  target[offset] = tag
  target[offset + 1] = end - offset - 2
  return end
}

function packLimited(target: Buffer, offset: number, tag: number, text: string, max: number, what: string): number {
  if (text.length * 3 > max && Buffer.byteLength(text) > max) throw new RangeError(`${what} is over ${max} bytes`)
  return packText(target, offset, tag, text)
}
