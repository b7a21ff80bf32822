import { badMessage, StatusError } from '../base/errors/status.ts'
import type { Limits } from '../base/limits.ts'
import { type Incoming, TextHint } from '../message/message.ts'
import { isBytes, type MessageType } from '../message/message-type.ts'
import type { BodyWriter, Outgoing } from '../message/outgoing.ts'

/**
 * Turns values into body bytes and back (docs/spec/wire.md#codecs). Absent bodies and bodies that are bytes never reach
 * a codec (docs/spec/wire.md#body). A codec keeps no state between messages.
 */
export interface Codec {
  /** The codec's byte in a message, 1..255. */
  readonly id: number
  /** Name by which the options `codec` and `acceptCodec` refer to this codec; not empty. */
  readonly name: string
  /**
   * Encodes a value.
   * @param type type of the body, where the call, push or route named one
   * @returns text, or bytes that are read before this is called again: a codec may use the same memory for each message
   * @throws TypeError when this codec has no form for `value`
   */
  encode(value: unknown, type?: MessageType): string | Uint8Array
  /**
   * Writes what `encode` would return into `target[at, end)`, where that is faster. Called for values other than
   * undefined and bytes. Default: `encode` is always called.
   * @returns where the body ends; -1 when `encode` must be called, also when the room does not suffice. Then bytes may
   *   have been written.
   */
  write?(value: unknown, target: Buffer, at: number, end: number): number
  /**
   * Decodes `buffer[start, end)`, which is borrowed: the result must not refer to it. Other messages lie around it:
   * write nothing to it or to its `buffer.buffer`, and transfer neither (`postMessage`, `structuredClone`,
   * `ArrayBuffer.prototype.transfer`); copy what is to be kept.
   * @param hint what the transport knows of the bytes
   * @param type type of the body, where the call or route named one
   * @throws StatusError 400 when the bytes are unreadable or break a limit
   */
  decode(buffer: Buffer, start: number, end: number, hint: TextHint, limits: Pick<Limits, 'maxDepth'>, type?: MessageType): unknown
  /**
   * True when an empty body is a value. Then `decode` is also called for empty bodies where a type was named; otherwise
   * an empty body is undefined. Default: false.
   */
  readonly decodesEmpty?: boolean | undefined
}

/**
 * Decodes a received body; undefined for an empty one.
 * @param codec undefined when the message names no codec, or one that is unknown here
 * @param type `bytes` returns a copy of the body (docs/spec/wire.md#body), whatever the codec, also when the body is
 *   empty
 * @throws StatusError 400 when there are bytes and no codec, or the codec cannot read them
 * @throws StatusError 415 that names the format, when the body's format has only a name
 */
export function decodeBody(message: Incoming, codec: Codec | undefined, limits: Pick<Limits, 'maxDepth'>, type?: MessageType): unknown {
  const { bodyStart, bodyEnd } = message
  if (isBytes(type)) return new Uint8Array(message.buffer.subarray(bodyStart, bodyEnd))
  if (bodyStart === bodyEnd && (type === undefined || codec?.decodesEmpty !== true)) return undefined
  if (codec === undefined) throw unknownCodec(message)
  return codec.decode(message.buffer, bodyStart, bodyEnd, message.hint, limits, type)
}

/** The error for a body whose codec is unknown here. */
export function unknownCodec({ codec, mediaType }: Incoming): StatusError {
  return mediaType === '' ? badMessage(`unsupported codec id: ${codec}`) : new StatusError(415, 'Unsupported Media Type', mediaType)
}

/**
 * Encodes a body (docs/spec/wire.md#body): undefined is an empty body, bytes are themselves, the codec encodes the
 * rest.
 */
export function encodeBody(codec: Codec, value: unknown, type: MessageType | undefined): string | Uint8Array | null {
  return value === undefined ? null : value instanceof Uint8Array ? value : codec.encode(value, type)
}

/** Gives `message` the body that `encodeBody` makes, or lets who sends it write the body in place. */
export function fillBody(message: Outgoing, codec: Codec, value: unknown, type: MessageType | undefined): Outgoing {
  if (codec.write === undefined || value === undefined || value instanceof Uint8Array)
    return message.content(codec.id, encodeBody(codec, value, type))
  return message.unencoded(codec as BodyWriter, value)
}

/** The body as text, a copy, with U+FFFD for invalid UTF-8. For codecs whose bodies are text. */
export function bodyText(buffer: Buffer, start: number, end: number, hint: TextHint): string {
  return hint !== TextHint.Nothing ? latin1Slice.call(buffer, start, end) : utf8Slice.call(buffer, start, end)
}

/**
 * Methods of every Buffer that its type declarations leave out; `toString` adds about 20 ns to look the encoding up.
 * Read once, because the prototype of Buffer is a dictionary to V8.
 */
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Buffer, start: number, end: number): string
  utf8Slice(this: Buffer, start: number, end: number): string
}
