import { isUtf8 } from 'node:buffer'
import { type Limits, MAX_META_BYTES, MAX_STATUS_BYTES } from '../base/limits.ts'
import { writeInteger } from '../base/text/write-integer.ts'
import { writeAscii } from '../base/text/write-text.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { matchEnvelope } from '../wire/cut-envelope.ts'
import { EMPTY_META, OK_STATUS } from '../wire/raw.ts'
import { over } from './json/fields.ts'
import { unpackLayout } from './json/layout.ts'
import { unpackStrict } from './json/strict.ts'
import type { Proto, ProtoSession } from './proto.ts'

/** Messages as JSON documents in envelopes, as Go's `jsonproto` (docs/spec/wire.md#json). Bodies must be text. */
export const jsonProto: Proto = {
  id: 0x6a,
  name: 'json',
  framing: 'envelope',
  match: (bytes, limits) => matchEnvelope(bytes, limits, (byte) => byte === 0x7b),
  open: (link) => new JsonProtoSession(link.limits),
}

class JsonProtoSession implements ProtoSession {
  readonly #limits: Readonly<Limits>

  constructor(limits: Readonly<Limits>) {
    this.#limits = limits
  }

  /**
   * Writes a message. The document begins with `mtype`, by which readers recognize that all of it is JSON; Go's own
   * begins with `seq` and is not JSON after that.
   */
  pack(message: Outgoing): string {
    const { statusText, metaText, body } = message
    const tail =
      statusText === '' && metaText === ''
        ? okAndEmpty
        : `,"status":${quoted(statusText || OK_STATUS, MAX_STATUS_BYTES, 'status')},"meta":${quoted(metaText || EMPTY_META, MAX_META_BYTES, 'meta')},"bodyCodec":`
    const text = body === null ? '""' : JSON.stringify(typeof body === 'string' ? body : bytesText(body))
    return `{"mtype":${message.type},"seq":${message.seq},"serviceMethod":${quotedName(message.method)}${tail}${message.codec},"body":${text}}`
  }

  write(message: Outgoing, target: Buffer, start: number, end: number): number {
    const { method } = message
    // Other codecs write bytes that are no text, or control characters, which need more than a backslash.
    if (message.codec !== JSON_CODEC || !plainName.test(method)) return -1
    const size = message.write(scratch, 0, scratch.length)
    if (size < 0 || start + method.length + 2 * size + HEAD_ROOM > end) return -1
    const { type, codec } = message
    const head = (heads[type] ??= Buffer.from(`{"mtype":${type},"seq":`))
    const middle = (middles[codec] ??= Buffer.from(`"${okAndEmpty}${codec},"body":"`))
    target.set(head, start)
    let at = writeInteger(target, message.seq, start + head.length)
    target.set(methodKey, at)
    at = writeAscii(target, method, at + methodKey.length)
    target.set(middle, at)
    at += middle.length
    at = writeEscaped(scratch, size, target, at)
    target[at++] = QUOTE
    target[at++] = CLOSE_OBJECT
    return at
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    if (!unpackLayout(bytes, start, end, this.#limits, message)) unpackStrict(bytes, start, end, this.#limits, message)
    return end - start
  }
}

const okAndEmpty = `,"status":${JSON.stringify(OK_STATUS)},"meta":"${EMPTY_META}","bodyCodec":`

const methodKey = Buffer.from(',"serviceMethod":"')
/** The bytes before the sequence number, by type, and those between service method and body, by codec. */
const heads: Buffer[] = []
const middles: Buffer[] = []

const JSON_CODEC = 106
const QUOTE = 0x22
const BACKSLASH = 0x5c
const CLOSE_OBJECT = 0x7d
/** Bytes of a document besides its service method and body. */
const HEAD_ROOM = 192
/** Memory for a body before it is escaped. */
const scratch = Buffer.allocUnsafeSlow(2048)

/** Writes `size` bytes of JSON as the inside of a JSON string. JSON has no control characters. */
function writeEscaped(source: Buffer, size: number, target: Buffer, start: number): number {
  let at = start
  for (let i = 0; i < size; i++) {
    const byte = source[i]
    if (byte === QUOTE || byte === BACKSLASH) target[at++] = BACKSLASH
    target[at++] = byte
  }
  return at
}

const plainName = /^[ !#-[\]-~]*$/

function quotedName(name: string): string {
  return plainName.test(name) ? `"${name}"` : JSON.stringify(name)
}

function quoted(text: string, max: number, what: string): string {
  if (over(text, max)) throw new RangeError(`${what} is over ${max} bytes`)
  return JSON.stringify(text)
}

/**
 * Returns a body as text.
 *
 * @throws TypeError for bytes that are no text, because Go would receive them as U+FFFD (docs/spec/go-defects.md W1)
 */
function bytesText(body: Uint8Array): string {
  if (!isUtf8(body)) throw new TypeError('the json protocol cannot carry a body that is not UTF-8')
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')
}
