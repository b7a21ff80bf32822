import type { StatusError } from '../base/errors/status.ts'
import { markOf } from '../base/mark.ts'
import { type Meta, noMeta } from './meta.ts'

/** A reply with what travelled beside its body. */
export interface Reply<T> {
  body: T
  meta: Meta
  /** Codec id of the body, 0 when the peer named none. */
  codec: number
}

/** On the error itself, so that every copy of this package finds it. */
const metaMark: unique symbol = markOf('replyMeta') as typeof metaMark
type Marked = { [metaMark]?: Meta }

/** The meta of the reply that made a `callReply` fail with `error`; empty when it had none, or the failure is no reply's. */
export function replyMeta(error: StatusError): Meta {
  return (error as Marked)[metaMark] ?? noMeta
}

/** @internal */
export function setReplyMeta(error: StatusError, meta: Meta): void {
  Object.defineProperty(error, metaMark, { value: meta, configurable: true })
}
