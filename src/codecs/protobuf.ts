import { textOf } from '../base/errors/error-text.ts'
import { badMessage } from '../base/errors/status.ts'
import { isMessageType, type MessageType } from '../message/message-type.ts'
import { encoded, writtenTo } from './binary/output.ts'
import type { Codec } from './codec.ts'
import { isLikeMessage } from './protobuf/direct.ts'
import { mayBeOrdered, writeOrdered } from './protobuf/in-order.ts'
import { requireLossless } from './protobuf/lossless.ts'
import { plainOf } from './protobuf/plain.ts'
import { isComplete, requireComplete } from './protobuf/required.ts'
import { type AnyMessageType, protobufRuntime } from './protobuf/runtime.ts'
import { writeMessage } from './protobuf/writer.ts'

const nothing = new Uint8Array(0)

/**
 * Protocol Buffers with the message classes of protobufjs. Classes of another copy of protobufjs (version 7, or a
 * version of the application's own) decode slower, from a copy of the body. Other libraries with classes of the same
 * shape work too, by their own rules.
 *
 * - The type is the one named with the call, push or route. Without one a message is encoded by its own class, null and
 *   `{}` are an empty body as in Go, and a received body is a Uint8Array of its bytes, for the handler to decode or
 *   pass on.
 * - An empty body of a named type is the message whose fields all have their defaults.
 * - Plain objects go through `fromObject`, after their `toJSON`. A value that would be written as something else (a
 *   number out of range, text that is no number, a field that does not exist) is a TypeError, as is a required field
 *   that is missing; messages are checked too, as they are written. Names of enum values and text of numbers are
 *   accepted.
 * - 64-bit integers are read as Long, as the classes' declarations say: a BigInt would be encoded as 0 by protobufjs
 *   itself, a number loses bits from 2^53 on. `message.id.toBigInt()` or `Type.toObject(message, { longs: BigInt })`
 *   give BigInts. Numbers, Longs, digits and BigInts are accepted.
 * - A field of bytes is read as a Buffer of its own.
 * - Messages may nest 100 deep, unknown fields are dropped, a string of proto3 that is no UTF-8 is refused as in Go.
 */
export const protobufCodec: Codec = {
  id: 112,
  name: 'protobuf',
  decodesEmpty: true,

  encode(value, named) {
    const type = (named ?? typeOf(value)) as AnyMessageType | undefined
    if (type === undefined || value === null || value === undefined) return nothing
    if (typeof value === 'object') {
      try {
        if (mayBeOrdered(type, value)) return encoded(writeOrdered, value)
      } catch {
        // Something is unusual, or wrong, which is told below.
      }
      try {
        if (isLikeMessage(type, value) && isComplete(type, value)) return encodedBy(type, value)
      } catch {
        // The same.
      }
    }
    return encodedBy(type, messageOf(type, value))
  },

  write(value, target, at, end, named) {
    const type = (named ?? typeOf(value)) as AnyMessageType | undefined
    if (type === undefined || value === null || value === undefined) return -1
    if (typeof value === 'object') {
      try {
        if (mayBeOrdered(type, value)) return writtenTo(writeOrdered, value, target, at, end)
      } catch {
        // As in `encode`.
      }
      try {
        if (isLikeMessage(type, value) && isComplete(type, value)) return writtenBy(type, value, target, at, end)
      } catch {
        return -1
      }
    }
    return writtenBy(type, messageOf(type, value), target, at, end)
  },

  decode(buffer, start, end, _hint, _limits, named) {
    if (named === undefined) return new Uint8Array(buffer.subarray(start, end))
    const type = named as AnyMessageType
    const runtime = protobufRuntime()
    try {
      if (runtime.reads(type)) return runtime.decode(type, buffer, start, end)
      return type.decode(Buffer.from(buffer.subarray(start, end)))
    } catch (error) {
      throw badMessage(`protobuf: ${textOf(error)}`)
    }
  },
}

function encodedBy(type: AnyMessageType, message: unknown): Uint8Array {
  if (!protobufRuntime().writes(type, message)) return type.encode(message).finish()
  root = type
  return encoded(writeRoot, message)
}

function writtenBy(type: AnyMessageType, message: unknown, target: Buffer, at: number, end: number): number {
  if (!protobufRuntime().writes(type, message)) return -1
  root = type
  return writtenTo(writeRoot, message, target, at, end)
}

/** The type of the message that is passed to `writeRoot` next. */
let root: AnyMessageType

function writeRoot(message: unknown, at: number): number {
  return writeMessage(root, message, at)
}

/** The class of a message; undefined for null, undefined and an empty object. */
function typeOf(value: unknown): MessageType | undefined {
  if (typeof value !== 'object' || value === null) {
    if (value === null || value === undefined) return undefined
    throw new TypeError(`protobuf cannot encode a ${typeof value}`)
  }
  const { $type, constructor: own } = value as { $type?: unknown; constructor: unknown }
  if (isMessageType($type)) return $type
  if (isMessageType(own)) return own
  if (!Array.isArray(value) && Object.keys(value).length === 0) return undefined
  throw new TypeError('protobuf cannot encode an object without its type: name it with the call or the route')
}

function messageOf(type: AnyMessageType, value: unknown): unknown {
  const given = type.fromObject === undefined ? value : plainOf(value)
  if (typeof given !== 'object' || given === null) throw new TypeError(`protobuf cannot encode a ${typeof given}`)
  if (type.fromObject === undefined) return given
  requireComplete(type, given)
  const message = type.fromObject(given)
  if (message !== given) requireLossless(given, message as object)
  return message
}
