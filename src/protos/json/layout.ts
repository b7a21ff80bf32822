import { type Limits, MAX_META_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import { JsonScanner } from '../../base/text/json-scan.ts'
import type { Incoming } from '../../message/message.ts'
import { findName } from '../../message/names.ts'
import { EMPTY_META, OK_STATUS } from '../../wire/raw.ts'
import { ProtoError } from '../proto.ts'
import { takeGoBody, takeJsonBody } from './body.ts'
import { OUT_OF_RANGE, setMeta, setNumbers, setStatus } from './fields.ts'

const ZERO = 0x30
const QUOTE = 0x22
const MINUS = 0x2d
const BACKSLASH = 0x5c
const CLOSE_OBJECT = 0x7d

export const seqFirst = Buffer.from('{"seq":')
export const thenType = Buffer.from(',"mtype":')
const typeFirst = Buffer.from('{"mtype":')
const thenSeq = Buffer.from(',"seq":')
export const methodKey = Buffer.from(',"serviceMethod":"')
const statusKey = Buffer.from(',"status":"')
export const metaKey = Buffer.from(',"meta":"')
export const codecKey = Buffer.from(',"bodyCodec":')
export const bodyKey = Buffer.from(',"body":"')

/** Maximum length of an escaped field. The longest escape is `\U` and eight digits, for one byte. */
const MAX_ESCAPED = 10 * Math.max(MAX_STATUS_BYTES, MAX_META_BYTES)

/** The bytes that nearly every message has between its service method and its codec. */
const okAndEmpty = Buffer.from(`,"status":${JSON.stringify(OK_STATUS)},"meta":"${EMPTY_META}","bodyCodec":`)

/**
 * Reads a document with the layout of Go's messages or of ours (`json.ts`) without parsing it. The first member tells
 * them apart: in Go's layout, strings have the escapes of `strconv.Quote` (docs/spec/wire.md#status) and the body its
 * own (docs/spec/wire.md#json); ours is JSON.
 *
 * @returns false, with nothing changed, when it has neither layout
 * @throws ProtoError when it has one and a field is unreadable
 */
export function unpackLayout(bytes: Buffer, start: number, end: number, limits: Readonly<Limits>, message: Incoming): boolean {
  const reader = new LayoutReader(bytes, start, end)
  const go = reader.literal(seqFirst)
  if (!go && !reader.literal(typeFirst)) return false
  const first = reader.integer()
  if (!reader.literal(go ? thenType : thenSeq)) return false
  const second = reader.integer()

  if (!reader.literal(methodKey)) return false
  const nameStart = reader.at
  const nameEnd = reader.string()
  const plainName = !reader.escaped

  const usual = reader.literal(okAndEmpty)
  if (!usual && !reader.literal(statusKey)) return false
  const statusStart = reader.at
  const statusEnd = usual ? statusStart : reader.string()
  if (!usual && !reader.literal(metaKey)) return false
  const metaStart = reader.at
  const metaEnd = usual ? metaStart : reader.string()
  if (!usual && !reader.literal(codecKey)) return false
  const codec = reader.integer()

  if (!reader.literal(bodyKey) || reader.failed) return false
  const bodyEnd = end - 2
  if (reader.at > bodyEnd || bytes[bodyEnd] !== QUOTE || bytes[bodyEnd + 1] !== CLOSE_OBJECT) return false
  if (!(go ? takeGoBody(bytes, reader.at, bodyEnd, message) : takeJsonBody(bytes, reader.at, bodyEnd, message))) return false

  setNumbers(message, go ? second : first, go ? first : second, codec)
  if (!usual) {
    setStatus(message, fieldText(bytes, statusStart, statusEnd, go), limits)
    setMeta(message, fieldText(bytes, metaStart, metaEnd, go), limits)
  }
  if (nameStart === nameEnd) return true
  if (plainName) message.route = findName(bytes, nameStart, nameEnd)
  if (message.route < 0) {
    message.method = stringText(bytes, nameStart, nameEnd, go)
    if (message.method === undefined) throw new ProtoError('unreadable service method')
  }
  return true
}

/** Finds the fields of a document in one pass, without decoding them. */
export class LayoutReader {
  at: number
  /** Whether the last `string` has a backslash. */
  escaped = false
  /** Whether an `integer` or `string` was malformed. */
  failed = false
  readonly #bytes: Buffer
  readonly #end: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.at = start
    this.#end = end
  }

  /** Consumes `text` if it is next. */
  literal(text: Buffer): boolean {
    const bytes = this.#bytes
    const at = this.at
    const length = text.length
    if (length > this.#end - at) return false
    for (let i = 0; i < length; i++) if (bytes[at + i] !== text[i]) return false
    this.at = at + length
    return true
  }

  /** Consumes an integer; `OUT_OF_RANGE` when it is no int32. */
  integer(): number {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.at
    const negative = at < end && bytes[at] === MINUS
    if (negative) at++
    const start = at
    let value = 0
    for (; at < end; at++) {
      const digit = bytes[at] - ZERO
      if (digit < 0 || digit > 9) break
      if (value <= 0xffff_ffff) value = value * 10 + digit
    }
    if (at === start || (bytes[start] === ZERO && at > start + 1)) this.failed = true
    this.at = at
    if (negative) value = -value
    return (value | 0) === value ? value | 0 : OUT_OF_RANGE
  }

  /** Consumes the rest of a string whose opening mark was consumed, and returns where its inside ends. */
  string(): number {
    const bytes = this.#bytes
    const end = this.#end
    this.escaped = false
    for (let at = this.at; at < end; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.at = at + 1
        return at
      }
      if (byte === BACKSLASH) {
        this.escaped = true
        at++
      } else if (byte < 0x20) {
        break
      }
    }
    this.failed = true
    return this.at
  }
}

/**
 * Decodes a status or meta string; undefined when it is malformed or too long for either, which is checked before a
 * string is made.
 */
export function fieldText(bytes: Buffer, start: number, end: number, goEscapes: boolean): string | undefined {
  return end - start > MAX_ESCAPED ? undefined : stringText(bytes, start, end, goEscapes)
}

/** Decodes the inside of a string; undefined when it has an invalid escape. */
export function stringText(bytes: Buffer, start: number, end: number, goEscapes: boolean): string | undefined {
  const quoted = bytes.toString('utf8', start - 1, end + 1)
  try {
    return (JSON.parse(quoted) as string).toWellFormed()
  } catch {
    return goEscapes && end - start <= MAX_ESCAPED ? new JsonScanner(quoted, true).string() : undefined
  }
}
