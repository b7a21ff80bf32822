import type { Codec } from '../codecs/codec.ts'
import { type Borrowed, copyBody, withBody } from '../hooks/hooked-messages.ts'
import type { MessageKind, ReadContext } from '../hooks/hooks.ts'
import type { Incoming } from '../message/message.ts'
import type { MessageType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import type { SessionEngine } from '../session/engine.ts'
import { Context } from './context.ts'
import type { Route } from './router.ts'

/** A CALL or PUSH with hooks: one object for these and for the handler, since each of them costs. */
export class HookedContext extends Context implements ReadContext, Borrowed {
  declare serviceMethod: string
  declare resultType: MessageType | undefined
  readonly kind: MessageKind
  readonly size: number
  body: unknown
  /** Undefined before the message is routed; of one that no route takes, what stands in for it. @internal */
  route: Route | undefined
  /** Borrowed: it ends with the call that brought it. */
  private lent: Incoming | undefined
  /** In its place, once a hook took its time or put other bytes there. Like `copy` it is not there otherwise: most messages never need it. */
  declare private kept?: Incoming | undefined
  declare private copy?: Uint8Array

  /** @param message borrowed: valid until `own` or `keepBytes` is called, or the call that brought it returns */
  constructor(engine: SessionEngine, kind: MessageKind, message: Incoming, serviceMethod: string, meta: Meta, codec: Codec | undefined) {
    super(engine, serviceMethod, message.seq, meta, codec, undefined, message.filters)
    this.kind = kind
    this.size = message.bodyEnd - message.bodyStart
    this.body = undefined
    this.route = undefined
    this.lent = message
  }

  get status(): undefined {
    return undefined
  }

  get request(): undefined {
    return undefined
  }

  get bytes(): Uint8Array {
    this.copy ??= copyBody(this.kept ?? this.lent)
    return this.copy
  }

  set bytes(bytes: Uint8Array) {
    this.kept = withBody(this.kept ?? this.lent, bytes)
    this.copy = bytes
  }

  /** Only while it is read. @internal */
  get incoming(): Incoming {
    return (this.kept ?? this.lent) as Incoming
  }

  /** A hook takes its time, and the message is not decoded yet. @internal */
  own(): void {
    this.kept ??= this.lent?.owned()
  }

  /** @internal */
  retainBytes(): void {
    if (this.kept === undefined && this.lent !== undefined) this.copy ??= copyBody(this.lent)
    this.lent = undefined
  }

  /** What was borrowed is given back. @internal */
  giveBack(): void {
    this.lent = undefined
  }
}
