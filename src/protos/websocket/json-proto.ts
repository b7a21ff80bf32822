import { isUtf8 } from 'node:buffer'
import { type Limits, MAX_META_BYTES, MAX_STATUS_BYTES } from '../../base/limits.ts'
import type { Incoming } from '../../message/message.ts'
import type { Outgoing } from '../../message/outgoing.ts'
import { EMPTY_META, OK_STATUS } from '../../wire/raw.ts'
import { takeGoBody } from '../json/body.ts'
import { over, setMeta, setNumbers } from '../json/fields.ts'
import { bodyKey, codecKey, fieldText, LayoutReader, metaKey, methodKey, seqFirst, stringText, thenType } from '../json/layout.ts'
import { unpackStrict } from '../json/strict.ts'
import { ProtoError, type ProtoSession } from '../proto.ts'
import { type MessageProto, setLostStatus } from './message-proto.ts'

/**
 * Messages as JSON documents, as Go's WebSocket mixer sends them (docs/spec/wire.md#websocket): bodies must be text,
 * and there are no filters. Go has no status here; ours is one more member, which Go ignores.
 */
export const webSocketJson: MessageProto = {
  id: 0x6a,
  name: 'json',
  framing: 'message',
  open: ({ limits }) => new JsonMessages(limits),
}

/** The end of a document of Go's layout. */
const ending = Buffer.from('","ptf":[]}')
const statusKey = Buffer.from('"status"')

class JsonMessages implements ProtoSession {
  readonly #limits: Readonly<Limits>

  constructor(limits: Readonly<Limits>) {
    this.#limits = limits
  }

  /** Writes a message. It begins with `mtype`, by which readers recognize that all of it is JSON, unlike Go's own. */
  pack(message: Outgoing): string {
    const { type, seq, codec, statusText, metaText, method, body } = message
    const text = body === null ? '' : typeof body === 'string' ? body : bytesText(body)
    // Without a body and a codec it would look like an error of Go's.
    const told = statusText !== '' || (codec === 0 && text === '')
    const status = told ? `,"status":${quoted(statusText || OK_STATUS, MAX_STATUS_BYTES, 'status')}` : ''
    const meta = quoted(metaText || EMPTY_META, MAX_META_BYTES, 'meta')
    return `{"mtype":${type},"seq":${seq},"serviceMethod":${JSON.stringify(method)}${status},"meta":${meta},"bodyCodec":${codec},"body":${JSON.stringify(text)},"ptf":[]}`
  }

  unpack(bytes: Buffer, start: number, end: number, message: Incoming): number {
    if (!this.#unpackGo(bytes, start, end, message)) {
      unpackStrict(bytes, start, end, this.#limits, message)
      if (bytes.subarray(start, end).includes(statusKey)) return end - start
    }
    setLostStatus(message)
    return end - start
  }

  /**
   * Reads a document of Go's layout, in which the body has escapes of its own.
   *
   * @returns false, with nothing changed, when it has another layout
   */
  #unpackGo(bytes: Buffer, start: number, end: number, message: Incoming): boolean {
    const bodyEnd = end - ending.length
    if (bodyEnd < start || bytes.compare(ending, 0, ending.length, bodyEnd, end) !== 0) return false
    const reader = new LayoutReader(bytes, start, bodyEnd)
    if (!reader.literal(seqFirst)) return false
    const seq = reader.integer()
    if (!reader.literal(thenType)) return false
    const type = reader.integer()
    if (!reader.literal(methodKey)) return false
    const nameStart = reader.at
    const nameEnd = reader.string()
    if (!reader.literal(metaKey)) return false
    const metaStart = reader.at
    const metaEnd = reader.string()
    if (!reader.literal(codecKey)) return false
    const codec = reader.integer()
    if (!reader.literal(bodyKey) || reader.failed || !takeGoBody(bytes, reader.at, bodyEnd, message)) return false
    setNumbers(message, type, seq, codec)
    setMeta(message, fieldText(bytes, metaStart, metaEnd, true), this.#limits)
    if (nameStart === nameEnd) return true
    message.method = stringText(bytes, nameStart, nameEnd, true)
    if (message.method === undefined) throw new ProtoError('unreadable service method')
    return true
  }
}

function quoted(text: string, max: number, what: string): string {
  if (over(text, max)) throw new RangeError(`${what} is over ${max} bytes`)
  return JSON.stringify(text)
}

function bytesText(body: Uint8Array): string {
  if (!isUtf8(body)) throw new TypeError('json over WebSocket cannot carry a body that is not UTF-8')
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')
}
