import { isUtf8 } from 'node:buffer'
import { type Limits, MAX_META_BYTES, MAX_STATUS_BYTES } from '../base/limits.ts'
import { JsonScanner } from '../base/text/json-scan.ts'
import type { Incoming } from '../message/message.ts'
import type { Outgoing } from '../message/outgoing.ts'
import { takeGoBody } from '../protos/json/body.ts'
import { over, setMeta, setNumbers } from '../protos/json/fields.ts'
import { unpackStrict } from '../protos/json/strict.ts'
import type { ProtoSession } from '../protos/proto.ts'
import { EMPTY_META, OK_STATUS } from '../wire/raw.ts'
import { type MessageProto, setLostStatus } from './message-proto.ts'

/**
 * Messages as JSON documents, as Go's WebSocket mixer sends them (docs/spec/wire.md#websocket): bodies must be text, and
 * there are no filters. Go has no status here; ours is one more member, which Go ignores.
 */
export const webSocketJson: MessageProto = {
  id: 0x6a,
  name: 'json',
  framing: 'message',
  open: ({ limits }) => new JsonMessages(limits),
}

/** Longest beginning of a document of Go's layout: numbers, names, and a meta whose every byte is escaped. */
const MAX_BEGINNING = 300 * 1024
const beginning =
  /^\{"seq":(-?[0-9]{1,10}),"mtype":([0-9]{1,3}),"serviceMethod":"([^"\\]*(?:\\.[^"\\]*)*)","meta":"([^"\\]*(?:\\.[^"\\]*)*)","bodyCodec":([0-9]{1,3}),"body":"/
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
    const found = beginning.exec(bytes.toString('latin1', start, Math.min(end, start + MAX_BEGINNING)))
    if (found === null) return false
    const [{ length }, seq, type, name, meta, codec] = found
    if (start + length > bodyEnd || Number(seq) !== (Number(seq) | 0)) return false
    const method = goText(name)
    const metaText = goText(meta)
    if (method === undefined || metaText === undefined || !takeGoBody(bytes, start + length, bodyEnd, message)) return false
    setNumbers(message, Number(type), Number(seq), Number(codec))
    setMeta(message, metaText, this.#limits)
    if (method !== '') message.method = method
    return true
  }
}

/** The text of a string with the escapes of Go, each character a byte; undefined when it is unreadable. */
function goText(latin1: string): string | undefined {
  return new JsonScanner(`"${Buffer.from(latin1, 'latin1').toString('utf8')}"`, true).string()
}

function quoted(text: string, max: number, what: string): string {
  if (over(text, max)) throw new RangeError(`${what} is over ${max} bytes`)
  return JSON.stringify(text)
}

function bytesText(body: Uint8Array): string {
  if (!isUtf8(body)) throw new TypeError('json over WebSocket cannot carry a body that is not UTF-8')
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')
}
