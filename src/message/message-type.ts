import { hasMark, markOf } from '../base/mark.ts'
import { isSchema, type StandardSchemaV1 } from './standard-schema.ts'

/**
 * The type of a body, for codecs that need one: for protobuf a message class of protobufjs, static (pbjs) or reflected
 * (`root.lookupType('pkg.Name')`). Codecs without types, such as json and plain, ignore it.
 */
export interface MessageType<Message = unknown> {
  /** Encodes a message; `finish` returns its bytes. */
  encode(message: never, writer?: never): { finish(): Uint8Array }
  /** Decodes a message. An exception is a status 400. */
  decode(bytes: Uint8Array): Message
  /** Makes a message of a plain object. */
  fromObject?(object: never): Message
}

/**
 * Types of a route's bodies: a type for codecs that need one, `bytes`, or a Standard Schema (zod, valibot, arktype …)
 * that validates the value whatever its codec. The value that a schema returns replaces the original.
 */
export interface RouteTypes<Arg = unknown, Result = unknown> {
  /**
   * Type of the handler's argument. A body that does not match a schema is answered with 400, with the first issues as
   * cause.
   * @default none
   */
  arg?: MessageType<Arg> | StandardSchemaV1<unknown, Arg> | undefined
  /**
   * Type of the handler's result; the handler must return the schema's input. A result that does not match a schema is
   * logged and answered with 500.
   * @default none
   */
  result?: MessageType | StandardSchemaV1<Result, unknown> | undefined
}

const bytesMark = markOf('bytes')

/**
 * The type of a body that is delivered as received, whatever its codec: `{ arg: bytes }` of a route, `{ result: bytes
 * }` of a call. An empty body is an empty Uint8Array. Sending bytes needs no type: a Uint8Array passes every codec
 * unchanged (docs/spec/wire.md#body).
 */
export const bytes: MessageType<Uint8Array> = Object.freeze({
  [bytesMark]: true,
  encode(): never {
    throw new TypeError('bytes must be a Uint8Array') // a Uint8Array reaches no codec
  },
  decode: (body: Uint8Array) => body,
})

/** Whether a body is delivered as received: `bytes` of this or of another copy of this package. */
export function isBytes(type: MessageType | undefined): boolean {
  return type !== undefined && (type === bytes || hasMark(type, bytesMark))
}

/**
 * Checks that `value` is a type or undefined.
 * @param what begins the error's text
 * @throws TypeError
 */
export function checkMessageType(value: unknown, what: string): void {
  if (value !== undefined && !isMessageType(value)) throw new TypeError(`${what} must have the methods encode and decode`)
}

/** Whether `value` has the shape of a `MessageType` and is no Standard Schema. */
export function isMessageType(value: unknown): value is MessageType {
  // Schemas of zod have methods of these names too, so schemas are excluded first.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || isSchema(value)) return false
  const { encode, decode } = value as Partial<MessageType>
  return typeof encode === 'function' && typeof decode === 'function'
}
