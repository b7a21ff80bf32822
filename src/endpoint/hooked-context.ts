import type { Codec } from '../codecs/codec.ts'
import { type Borrowed, copyBody, withBody } from '../hooks/hooked-messages.ts'
import type { MessageKind, ReadContext } from '../hooks/hooks.ts'
import type { Incoming } from '../message/message.ts'
import type { MessageType } from '../message/message-type.ts'
import type { Meta } from '../message/meta.ts'
import type { SessionEngine } from '../session/engine.ts'
import type { TracedRequest } from '../session/tracer.ts'
import { Context } from './context.ts'
import type { Route } from './router.ts'

/**
 * The context of a CALL or PUSH with hooks: one object for the hooks and the handler, because each object costs time.
 */
export class HookedContext extends Context implements ReadContext, Borrowed {
  declare serviceMethod: string
  declare resultType: MessageType | undefined
  readonly kind: MessageKind
  readonly size: number
  body: unknown
  /**
   * The route. Undefined before the message is routed; for a message without a route, a stand-in with the handler for
   * unknown names.
   *
   * @internal
   */
  route: Route | undefined
  /**
   * The request's trace; null without a tracer.
   *
   * @internal
   */
  trace: TracedRequest | null
  /** The received message. Borrowed until the call that delivered it returns. */
  private borrowed: Incoming | undefined
  /**
   * The message that replaces `borrowed`, once a hook returned a promise or replaced the bytes. Like `copy` the field
   * is declared only: most messages never need it, and an initializer would cost time.
   */
  declare private kept?: Incoming | undefined
  declare private copy?: Uint8Array
  declare private onEnded?: (() => void) | undefined

  /** @param message borrowed until `retainMessage` or `retainBytes` is called, or the call that delivered it returns */
  constructor(engine: SessionEngine, kind: MessageKind, message: Incoming, serviceMethod: string, meta: Meta, codec: Codec | undefined) {
    super(engine, serviceMethod, message.seq, meta, codec, undefined, message.filters)
    this.kind = kind
    this.size = message.bodyEnd - message.bodyStart
    this.body = undefined
    this.route = undefined
    this.trace = null
    this.borrowed = message
  }

  /**
   * Calls `run` once, when the message is over: it was refused or dropped, or its handler has settled, even if that was
   * after its time. For plugins that count what runs.
   *
   * @internal
   */
  onEnd(run: () => void): void {
    const before = this.onEnded
    if (before === undefined) {
      this.onEnded = run
      return
    }
    this.onEnded = () => {
      before()
      run()
    }
  }

  /**
   * Reports that the message is over.
   *
   * @internal
   */
  end(): void {
    const ended = this.onEnded
    if (ended === undefined) return
    this.onEnded = undefined
    ended()
  }

  get status(): undefined {
    return undefined
  }

  get request(): undefined {
    return undefined
  }

  get bytes(): Uint8Array {
    this.copy ??= copyBody(this.kept ?? this.borrowed)
    return this.copy
  }

  set bytes(bytes: Uint8Array) {
    this.kept = withBody(this.kept ?? this.borrowed, bytes)
    this.copy = bytes
  }

  /**
   * The message to decode. Valid only while it is read.
   *
   * @internal
   */
  get incoming(): Incoming {
    return (this.kept ?? this.borrowed) as Incoming
  }

  /**
   * Copies the whole message. Called when a hook returned a promise and the message is not decoded yet.
   *
   * @internal
   */
  retainMessage(): void {
    this.kept ??= this.borrowed?.owned()
  }

  /**
   * Copies the bytes that hooks may still read, and forgets the borrowed message.
   *
   * @internal
   */
  retainBytes(): void {
    if (this.kept === undefined && this.borrowed !== undefined) this.copy ??= copyBody(this.borrowed)
    this.borrowed = undefined
  }

  /**
   * Forgets the borrowed message, whose memory is no longer valid.
   *
   * @internal
   */
  releaseBorrowed(): void {
    this.borrowed = undefined
  }
}
