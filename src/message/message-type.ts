import { hasMark, markOf } from '../base/mark.ts'
import { isSchema, type StandardSchemaV1 } from './standard-schema.ts'

/**
 * The type of a body, for codecs that need one: for protobuf a message class of protobufjs, static (pbjs) or reflected
 * (`root.lookupType('pkg.Name')`). Codecs without types, such as json and plain, ignore it.
 */
export interface MessageType<Message = unknown> {
  encode(message: never, writer?: never): { finish(): Uint8Array }
  decode(bytes: Uint8Array): Message
  /** Makes a message out of a plain object. */
  fromObject?(object: never): Message
}

/**
 * What a route says of its bodies: a type for codecs that need one, `bytes`, or a Standard Schema (zod, valibot, arktype …) that
 * guards the value whatever its codec. What a schema makes of the value takes its place.
 */
export interface RouteTypes<Arg = unknown, Result = unknown> {
  /** Of what the handler gets. What breaks a schema is answered 400, with the first issues as cause. */
  arg?: MessageType<Arg> | StandardSchemaV1<unknown, Arg> | undefined
  /** Of what it returns, which must be what the schema takes. What breaks a schema is logged and answered 500. */
  result?: MessageType | StandardSchemaV1<Result, unknown> | undefined
}

const bytesMark = markOf('bytes')

/**
 * The type of a body that is taken as it came, whatever its codec: `{ arg: bytes }` of a route, `{ result: bytes }` of a call. An
 * empty body is no bytes. Nothing is needed to send bytes: a Uint8Array passes every codec unchanged (docs/spec/wire.md#body).
 */
export const bytes: MessageType<Uint8Array> = Object.freeze({
  [bytesMark]: true,
  encode(): never {
    throw new TypeError('bytes must be a Uint8Array') // one that is reaches no codec
  },
  decode: (body: Uint8Array) => body,
})

/** Whether a body is taken as it came: `bytes`, ours or that of another copy of this package. */
export function isBytes(type: MessageType | undefined): boolean {
  return type !== undefined && (type === bytes || hasMark(type, bytesMark))
}

/** @throws TypeError that begins with `what` when `value` is neither a type nor undefined */
export function checkMessageType(value: unknown, what: string): void {
  if (value !== undefined && !isMessageType(value)) throw new TypeError(`${what} must have the methods encode and decode`)
}

export function isMessageType(value: unknown): value is MessageType {
  // Schemas of zod have methods of these names too.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || isSchema(value)) return false
  const { encode, decode } = value as Partial<MessageType>
  return typeof encode === 'function' && typeof decode === 'function'
}
