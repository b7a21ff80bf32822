import { badMessage, StatusError } from '../base/errors/status.ts'
import type { Limits } from '../base/limits.ts'
import { type Incoming, TextHint } from '../message/message.ts'
import { isBytes, type MessageType } from '../message/message-type.ts'

/**
 * Turns values into body bytes and back (docs/spec/wire.md#codecs). Absent bodies and bodies that are bytes never reach a codec
 * (docs/spec/wire.md#body). A codec keeps no state between messages.
 */
export interface Codec {
  /** The byte on the wire, 1..255. */
  readonly id: number
  readonly name: string
  /**
   * @param type of the body, where the call, push or route named one
   * @returns text, or bytes that are read before this is called again: a codec may use the same memory for each message
   * @throws TypeError when this codec has no form for `value`
   */
  encode(value: unknown, type?: MessageType): string | Uint8Array
  /**
   * Optional: true when `text` encodes to itself between quotation marks, all of it ASCII. A transport then writes it without
   * making the encoded text first, and `encode` is not asked.
   */
  isPlainJsonString?(text: string): boolean
  /**
   * Decodes `buffer[start, end)`, which is borrowed: the result must not refer to it. Other messages lie around it: write nothing to it or
   * to its `buffer.buffer`, and transfer neither (`postMessage`, `structuredClone`, `ArrayBuffer.prototype.transfer`); copy what is to be kept.
   * @param hint what the transport knows of the bytes
   * @param type of the body, where the call or route named one
   * @throws StatusError 400 when the bytes are unreadable or break a limit
   */
  decode(buffer: Buffer, start: number, end: number, hint: TextHint, limits: Pick<Limits, 'maxDepth'>, type?: MessageType): unknown
  /** Optional: true when no bytes are a value of any type. `decode` is then asked for it where a type was named. */
  readonly decodesEmpty?: boolean | undefined
}

/**
 * What a received body stands for.
 * @param codec undefined when the message's codec is unknown here or none
 * @param type `bytes` takes the body as it is (docs/spec/wire.md#body): a copy, whatever the codec, also when it is empty
 * @throws StatusError 400 when there are bytes and no codec, or the codec cannot read them; 415 that names the format for one that only has a name
 */
export function decodeBody(message: Incoming, codec: Codec | undefined, limits: Pick<Limits, 'maxDepth'>, type?: MessageType): unknown {
  const { bodyStart, bodyEnd } = message
  if (isBytes(type)) return new Uint8Array(message.buffer.subarray(bodyStart, bodyEnd))
  if (bodyStart === bodyEnd && (type === undefined || codec?.decodesEmpty !== true)) return undefined
  if (codec === undefined) throw unknownCodec(message)
  return codec.decode(message.buffer, bodyStart, bodyEnd, message.hint, limits, type)
}

/** Why a body cannot be read whose codec is none of ours. */
export function unknownCodec({ codec, mediaType }: Incoming): StatusError {
  return mediaType === '' ? badMessage(`unsupported codec id: ${codec}`) : new StatusError(415, 'Unsupported Media Type', mediaType)
}

/** As docs/spec/wire.md#body has it: no value is no bytes, bytes are themselves, the rest is the codec's. */
export function encodeBody(codec: Codec, value: unknown, type: MessageType | undefined): string | Uint8Array | null {
  return value === undefined ? null : value instanceof Uint8Array ? value : codec.encode(value, type)
}

/** The body as text, invalid UTF-8 as U+FFFD. A copy. For codecs whose bodies are text. */
export function bodyText(buffer: Buffer, start: number, end: number, hint: TextHint): string {
  return hint !== TextHint.Nothing ? latin1Slice.call(buffer, start, end) : utf8Slice.call(buffer, start, end)
}

/**
 * Methods of every Buffer that its type declarations leave out; `toString` adds about 20 ns of looking the encoding up. Looked up once: the prototype
 * of Buffer is a dictionary to V8.
 */
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Buffer, start: number, end: number): string
  utf8Slice(this: Buffer, start: number, end: number): string
}
