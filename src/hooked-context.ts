import type { Codec } from './codec.ts'
import { Context } from './context.ts'
import { copyBody, type Lent, withBody } from './hooked-messages.ts'
import type { MessageKind, ReadContext } from './hooks.ts'
import type { Incoming } from './message.ts'
import type { MessageType } from './message-type.ts'
import type { Meta } from './meta.ts'
import type { Route } from './router.ts'
import type { Session } from './session.ts'

/** A CALL or PUSH with hooks: one object for these and for the handler, since each of them costs. */
export class HookedContext extends Context implements ReadContext, Lent {
  declare serviceMethod: string
  declare resultType: MessageType | undefined
  readonly kind: MessageKind
  readonly size: number
  body: unknown
  /** Undefined before the message is routed; of one that no route takes, what stands in for it. @internal */
  route: Route | undefined
  private message: Incoming | undefined
  private owned: boolean
  private copy: Uint8Array | undefined

  /** @param message borrowed: valid until `own` or `keepBytes` is called, or the call that brought it returns */
  constructor(session: Session, kind: MessageKind, message: Incoming, serviceMethod: string, meta: Meta, codec: Codec | undefined) {
    super(session, serviceMethod, message.seq, meta, codec, undefined, message.filters)
    this.kind = kind
    this.size = message.bodyEnd - message.bodyStart
    this.body = undefined
    this.route = undefined
    this.message = message
    this.owned = false
    this.copy = undefined
  }

  get status(): undefined {
    return undefined
  }

  get request(): undefined {
    return undefined
  }

  get bytes(): Uint8Array {
    this.copy ??= copyBody(this.message)
    return this.copy
  }

  set bytes(bytes: Uint8Array) {
    this.message = withBody(this.incoming, bytes)
    this.owned = true
    this.copy = bytes
  }

  /** Only while it is read. @internal */
  get incoming(): Incoming {
    return this.message as Incoming
  }

  /** A hook takes its time, and the message is not decoded yet. @internal */
  own(): void {
    if (this.owned) return
    this.owned = true
    this.message = this.message?.owned()
  }

  /** @internal */
  keepBytes(): void {
    if (this.owned || this.message === undefined) return
    this.copy ??= copyBody(this.message)
    this.message = undefined
  }

  /** What was borrowed is given back. @internal */
  giveBack(): void {
    if (!this.owned) this.message = undefined
  }
}
