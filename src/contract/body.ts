import { markOf } from '../base/mark.ts'
import { isMessageType, type MessageType } from '../message/message-type.ts'
import { isSchema, type StandardSchemaV1 } from '../message/standard-schema.ts'
import type { JsonSchema } from './json-schema.ts'

const plainMark: unique symbol = markOf('plain') as typeof plainMark

/** A body that has a TypeScript type and is not validated; made by `plain`. */
export interface Plain<Value = unknown> {
  /** Tells plain bodies from schemas, those of other copies of this package too. */
  readonly [plainMark]: true
  /** Schema that the generators show; undefined for none. */
  readonly jsonSchema: JsonSchema | undefined
  /** Never set: carries the type. */
  readonly '~value'?: Value
}

/** Describes the body of a message: a Standard Schema (zod, valibot, arktype …), a protobuf type, or `plain<T>()`. */
export type Body = StandardSchemaV1 | MessageType | Plain

/**
 * Bounds a type parameter to bodies by a member of each kind, whose presence says enough. To compare its type, as with
 * `Body`, the compiler works out what a schema takes and makes, for each method of a contract, used or not.
 */
export type BodyShape =
  | Plain
  | {
      /** Every Standard Schema has it. */
      readonly '~standard': unknown
    }
  | {
      /** Makes bytes; every protobuf type has it. */
      encode: unknown
      /** Reads bytes; every protobuf type has it. */
      decode: unknown
    }

/**
 * The value that a caller passes for a body, and a handler returns. Schemas of zod have it as `_input` too, which is
 * half the work: reading `~standard` makes the compiler work out both input and output.
 */
export type Input<Of> =
  Of extends Plain<infer Value>
    ? Value
    : Of extends { readonly _input: unknown; readonly '~standard': unknown }
      ? Of['_input']
      : Of extends { readonly '~standard': { readonly types?: unknown } }
        ? NonNullable<Of['~standard']['types']> extends { readonly input: infer Value }
          ? Value
          : unknown
        : Of extends { create(properties?: infer Properties): unknown }
          ? NonNullable<Properties>
          : Of extends MessageType<infer Message>
            ? Message
            : never

/** The value that a handler gets of a body, and a caller gets as the result. */
export type Output<Of> =
  Of extends Plain<infer Value>
    ? Value
    : Of extends { readonly _output: unknown; readonly '~standard': unknown }
      ? Of['_output']
      : Of extends { readonly '~standard': { readonly types?: unknown } }
        ? NonNullable<Of['~standard']['types']> extends { readonly output: infer Value }
          ? Value
          : unknown
        : Of extends MessageType<infer Message>
          ? Message
          : never

/**
 * A body with a TypeScript type alone: nothing is validated.
 *
 * @param jsonSchema what OpenAPI and the other generators say of it; default: that it may be anything
 */
export function plain<Value>(jsonSchema?: JsonSchema): Plain<Value> {
  return Object.freeze({ [plainMark]: true as const, jsonSchema })
}

/** No body: a call without an argument, or without a result. */
export const none: Plain<void> = plain<void>({ type: 'null' })

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && plainMark in value
}

/** Whether a body is that of `none`, of this or of another copy of this package. */
export function isNone(value: unknown): boolean {
  return isPlain(value) && value.jsonSchema?.type === 'null'
}

/**
 * Checks that `value` describes a body.
 *
 * @param what begins the error's text
 * @throws TypeError
 */
export function requireBody(what: string, value: unknown): void {
  if (isSchema(value) || isPlain(value) || isMessageType(value)) return
  throw new TypeError(`${what} must be a Standard Schema, a protobuf type, or plain<T>()`)
}

/** The type that a route validates or decodes a body with; undefined for a type alone. */
export function routeType(body: Body): StandardSchemaV1 | MessageType | undefined {
  return isPlain(body) ? undefined : body
}
