import { MAX_REQUEST_ID_BYTES } from '../../base/limits.ts'
import { type Incoming, MessageType } from '../../message/message.ts'
import { findName } from '../../message/names.ts'
import { statusOf } from './errors.ts'
import type { Fields } from './fields.ts'

const JSON_CODEC = 106
const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30
const LETTER_N = 0x6e

/** Makes a message of a reply. A reply whose id cannot be ours answers nothing and is ignored, as in Go. */
export function takeReply(fields: Fields, bytes: Buffer, message: Incoming): void {
  const { idStart, idEnd, resultStart, resultEnd, errorStart, errorEnd } = fields
  let seq = int32(bytes, idStart, idEnd)
  if (Number.isNaN(seq) && bytes[idStart] !== QUOTE && idEnd > 0) seq = Number(bytes.toString('latin1', idStart, idEnd)) // 5.0 is 5
  if ((seq | 0) !== seq) return
  message.type = MessageType.Reply
  message.seq = seq | 0
  const hasResult = resultEnd > 0 && bytes[resultStart] !== LETTER_N
  if (!hasResult && errorEnd > 0 && bytes[errorStart] !== LETTER_N) {
    message.status = statusOf(bytes.toString('utf8', errorStart, errorEnd))
    return
  }
  message.codec = JSON_CODEC
  takeBody(bytes, message, resultStart, resultEnd)
}

/** Sets the service method of a request. */
export function takeMethod(fields: Fields, bytes: Buffer, message: Incoming): void {
  const start = fields.methodStart + 1
  const end = fields.methodEnd - 1
  if (!fields.methodEscaped) {
    message.route = findName(bytes, start, end)
    if (message.route < 0) message.method = bytes.toString('utf8', start, end)
    return
  }
  const method = (JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string).toWellFormed()
  const name = Buffer.from(method)
  message.route = findName(name, 0, name.length)
  if (message.route < 0) message.method = method
}

/** Sets the body of a request. */
export function takeParams(fields: Fields, bytes: Buffer, message: Incoming): void {
  message.codec = JSON_CODEC
  if (bytes[fields.paramsStart] !== LETTER_N) takeBody(bytes, message, fields.paramsStart, fields.paramsEnd)
}

function takeBody(bytes: Buffer, message: Incoming, start: number, end: number): void {
  message.buffer = bytes
  message.bodyEnd = end
  // The other fields of the message do not lie in the buffer.
  message.bodyStart = message.nameStart = message.nameEnd = message.statusStart = message.statusEnd = start
  message.metaStart = message.metaEnd = start
}

/** Whether the id is a string, a number or null, and short enough to keep. */
export function isId(fields: Fields, bytes: Buffer): boolean {
  const { idStart, idEnd } = fields
  const c = bytes[idStart]
  return idEnd - idStart <= MAX_REQUEST_ID_BYTES && (c === QUOTE || c === LETTER_N || c === MINUS || (c >= ZERO && c <= ZERO + 9))
}

/** Parses an int32 in its canonical form; NaN for anything else, because the reply must repeat the id exactly. */
export function int32(bytes: Buffer, start: number, end: number): number {
  const digits = bytes[start] === MINUS ? start + 1 : start
  if (end - digits < 1 || end - digits > 10 || (bytes[digits] === ZERO && end - start > 1)) return Number.NaN
  let value = 0
  for (let at = digits; at < end; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  if (digits > start) value = -value
  return (value | 0) === value ? value : Number.NaN
}
