import type { AsyncResource } from 'node:async_hooks'
import { type Abortable, forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { textOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { stallText, TimerEntry } from '../base/time/timer-wheel.ts'
import type { CallOptions } from '../message/call-options.ts'
import type { MessageType } from '../message/message-type.ts'

/** In place of the key of a call that can be made again and has none: it comes behind all that have. */
export const NO_KEY = Number.POSITIVE_INFINITY

/** What a caller asked for, with which a call can be made later, or again. */
export class CallRequest {
  readonly method: string
  readonly arg: unknown
  options: CallOptions | undefined
  /** The caller wants a Reply, not just its body. */
  readonly full: boolean
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  /** As `PendingCall.key`. */
  readonly key: number
  /** Async context of the caller, where hooks of a call that is made again are to run in it. */
  caller: AsyncResource | undefined

  constructor(
    method: string,
    arg: unknown,
    options: CallOptions | undefined,
    full: boolean,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
    key: number,
  ) {
    this.method = method
    this.arg = arg
    this.options = options
    this.full = full
    this.resolve = resolve
    this.reject = reject
    this.key = key
    this.caller = undefined
  }
}

/** What a pending call needs from its session. */
export interface CallOwner {
  /** Makes a call anew, within the milliseconds that are left of its deadline, 0 for no end; or fails it. @internal */
  requeueCall(request: CallRequest, left: number): void
  /** Nobody waits for the call any more: it leaves the session's table. @param code 408 at its deadline, 499 because of its signal */
  abandon(call: PendingCall, code: number): void
}

/** One CALL without its REPLY yet. It is in its session's table, and in the timer wheel when it has a deadline. */
export class PendingCall extends TimerEntry implements Abortable {
  readonly seq: number
  readonly owner: CallOwner
  readonly method: string
  /** The caller wants a Reply, not just its body. */
  readonly full: boolean
  /** Of the reply's body. */
  readonly resultType: MessageType | undefined
  // One is made per call: `private` in place of `#`, whose initializers cost a call each.
  private readonly resolve: (value: unknown) => void
  private readonly reject: (error: unknown) => void
  private signal: AbortSignal | null
  /** To make it anew; null: its failure is final. */
  retryRequest: CallRequest | null
  /** Counts idempotent calls, which survive the loss of their connection; 0: it is none. */
  key: number

  constructor(
    owner: CallOwner,
    seq: number,
    method: string,
    full: boolean,
    resultType: MessageType | undefined,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super()
    this.owner = owner
    this.seq = seq
    this.method = method
    this.full = full
    this.resultType = resultType
    this.resolve = resolve
    this.reject = reject
    this.signal = null
    this.retryRequest = null
    this.key = 0
  }

  /** Cancels when `signal` fires. It must not have fired yet. */
  listen(signal: AbortSignal): void {
    this.signal = signal
    whenAborted(signal, this)
  }

  onAbort(signal: AbortSignal): void {
    this.owner.abandon(this, Code.Canceled)
    this.fail(canceled(signal))
  }

  succeed(value: unknown): void {
    this.#unlisten()
    this.resolve(value)
  }

  fail(error: StatusError): void {
    this.#unlisten()
    this.reject(error)
  }

  override expire(late: number): void {
    this.owner.abandon(this, Code.HandleTimeout)
    this.fail(
      new StatusError(
        Code.HandleTimeout,
        statusText(Code.HandleTimeout),
        `no reply from ${this.method} within the deadline${stallText(late)}`,
      ),
    )
  }

  /** Makes it anew from its `again`: this object is of no use any more. @param now by the clock of its deadline */
  retry(now: number): void {
    this.#unlisten()
    this.owner.requeueCall(this.retryRequest as CallRequest, this.deadline === 0 ? 0 : Math.max(this.deadline - now, 1))
  }

  #unlisten(): void {
    if (this.signal === null) return
    forgetAbort(this.signal, this)
    this.signal = null
  }
}

export function canceled(signal: AbortSignal): StatusError {
  return new StatusError(Code.Canceled, statusText(Code.Canceled), textOf(signal.reason))
}
