import type { StatusError } from '../base/errors/status.ts'
import { markOf } from '../base/mark.ts'
import { type Meta, noMeta } from './meta.ts'

/** A reply with what was sent beside its body. */
export interface Reply<T> {
  /** The decoded body; undefined for an empty one. */
  body: T
  /** Meta of the reply; empty when there is none. */
  meta: Meta
  /** Id of the body's codec; 0 when the peer named none. */
  codec: number
}

/** Key of a property on the error itself, so that every copy of this package finds it. */
const metaMark: unique symbol = markOf('replyMeta') as typeof metaMark
type Marked = { [metaMark]?: Meta }

/**
 * The meta of the reply that made a `callReply` fail with `error`. Empty when the reply had none, or when no reply
 * caused the failure.
 */
export function replyMeta(error: StatusError): Meta {
  return (error as Marked)[metaMark] ?? noMeta
}

/**
 * Attaches the meta of a failed reply to its error.
 * @internal
 */
export function setReplyMeta(error: StatusError, meta: Meta): void {
  Object.defineProperty(error, metaMark, { value: meta, configurable: true })
}
