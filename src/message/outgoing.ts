import { copyWords } from '../base/text/words.ts'
import type { MessageType } from './message-type.ts'
import { decodeMeta, type Meta } from './meta.ts'
import { type DecodedStatus, decodeStatus } from './status-json.ts'

const noFilters: readonly string[] = []

/** Limits for reading our own meta back: any number of keys, string values only. */
const anyMeta = { maxMetaKeys: 65_536, maxDepth: 1 }

/** Encodes bodies; a codec that can also write them in place (`Codec.write`). */
export interface BodyWriter {
  readonly id: number
  encode(value: unknown, type: MessageType | undefined): string | Uint8Array
  write(value: unknown, target: Buffer, at: number, end: number, type: MessageType | undefined): number
}

/** Packs messages where they are sent from. */
export interface Packer {
  /**
   * Writes `message`, whose body is still to be encoded, into `target[at, end)`.
   * @returns where it ends; -1 when it must be encoded and packed first. Then bytes may have been written.
   */
  write(message: Outgoing, target: Buffer, at: number, end: number): number
}

/** Most bytes of a body that is written in place, unless it is a text. Larger ones are encoded first. */
export const BODY_ROOM = 1024
/**
 * Memory for a body while its value is read. Getters may run code of users, which may send other messages, so nothing
 * is written where messages are sent from before that is over.
 */
const words = new Int32Array(BODY_ROOM / 4)
const scratch = Buffer.from(words.buffer)
let reading = false
/** Bytes of room for a text besides its characters: what a writer may want at once. */
const TEXT_ROOM = 64

/**
 * One message to send, as a protocol packs it. The same object may be used for every message: keep no reference to it.
 */
export class Outgoing {
  /** `MessageType.Call`, `Reply` or `Push`. */
  type = 0
  /**
   * Sequence number: in a CALL or PUSH an int32 that the session chose, in a REPLY the `seq` that `unpack` gave the
   * CALL.
   */
  seq = 0
  /** Service method; '' in a REPLY. */
  method = ''
  /** The status as JSON (docs/spec/wire.md#status); '' when OK. */
  statusText = ''
  /** The meta as JSON (docs/spec/wire.md#meta); '' when there is none. */
  metaText = ''
  /** Id of the body's codec; 0 in a REPLY that failed. */
  codec = 0
  /** The body: text, bytes, or null for an empty one. */
  body: string | Uint8Array | null = null
  /**
   * Id of `method` in the table of names (names.ts); -1 for none.
   * @internal
   */
  route = -1
  /**
   * The encoder of the body while that is left to who sends the message; undefined once `body` is the body.
   * @internal
   */
  writer: BodyWriter | undefined = undefined
  /**
   * Value of the body that is not encoded yet.
   * @internal
   */
  value: unknown = undefined
  /**
   * Type of that body, where one was named.
   * @internal
   */
  bodyType: MessageType | undefined = undefined
  /**
   * Number of bytes that the `writer` has written.
   * @internal
   */
  written = 0
  /** Changes when the message is filled again. */
  #fills = 0
  /** Names of the filters that `body` went through, outermost first: only ones that `Proto.bodyFilters` names. */
  filters: readonly string[] = noFilters

  /**
   * Sets everything but the body.
   * @internal
   */
  head(type: number, seq: number, route: number, method: string, statusText: string, metaText: string): this {
    this.type = type
    this.seq = seq
    this.route = route
    this.method = method
    this.statusText = statusText
    this.metaText = metaText
    this.#fills++
    return this
  }

  /**
   * Sets the body.
   * @internal
   */
  content(codec: number, body: string | Uint8Array | null): this {
    this.codec = codec
    this.body = body
    this.writer = undefined
    return this
  }

  /**
   * Sets a body that is encoded when the message is sent: `write` or `encoded` comes before anything that reads `body`.
   * @internal
   */
  unencoded(writer: BodyWriter, value: unknown, type: MessageType | undefined): this {
    this.codec = writer.id
    this.body = null
    this.writer = writer
    this.value = value
    this.bodyType = type
    return this
  }

  /**
   * Number of bytes that `write` should have room for.
   * @internal
   */
  get room(): number {
    const value = this.value
    return typeof value === 'string' && value.length > BODY_ROOM - TEXT_ROOM ? value.length + TEXT_ROOM : BODY_ROOM
  }

  /**
   * Writes the body into `target[at, end)`. Requires a `writer`.
   * @returns where it ends; -1 when the message must be `encoded`, and the place to send it looked up again. Then bytes
   *   may have been written.
   * @throws what reading the value throws
   * @internal
   */
  write(target: Buffer, at: number, end: number): number {
    const value = this.value
    const bodyType = this.bodyType
    const writer = this.writer as BodyWriter
    if (typeof value === 'string') {
      const to = writer.write(value, target, at, end, bodyType)
      this.written = to - at
      return to
    }
    if (reading) return -1
    const { type, seq, route, method, statusText, metaText } = this
    const fills = this.#fills
    reading = true
    let size: number
    try {
      size = writer.write(value, scratch, 0, BODY_ROOM, bodyType)
    } finally {
      reading = false
    }
    if (this.#fills !== fills) {
      // Reading the value sent other messages: the sender must begin anew, with what was read.
      this.head(type, seq, route, method, statusText, metaText)
      if (size < 0) this.unencoded(writer, value, bodyType)
      else this.content(writer.id, Buffer.from(scratch.subarray(0, size)))
      return -1
    }
    if (size < 0 || at + size > end) return -1
    copyWords(words, size, target, at)
    this.written = size
    return at + size
  }

  /**
   * Encodes the body if that is still to be done.
   * @throws what the codec throws
   * @internal
   */
  encoded(): this {
    const { writer } = this
    if (writer === undefined) return this
    const { type, seq, route, method, statusText, metaText } = this
    const body = writer.encode(this.value, this.bodyType)
    this.value = undefined
    // Reading the value may have sent another message.
    return this.head(type, seq, route, method, statusText, metaText).content(writer.id, body)
  }

  /**
   * A copy to keep. The body is not copied.
   * @internal
   */
  copy(): Outgoing {
    const { type, seq, route, method, statusText, metaText, codec, body } = this
    return new Outgoing().head(type, seq, route, method, statusText, metaText).content(codec, body)
  }

  /** The parsed status; undefined when OK. */
  get status(): DecodedStatus | undefined {
    return this.statusText === '' ? undefined : decodeStatus(this.statusText)
  }

  /** The parsed meta: string keys and values, no prototype. */
  get meta(): Meta {
    return decodeMeta(this.metaText, anyMeta) as Meta
  }
}
