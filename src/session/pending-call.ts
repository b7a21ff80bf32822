import type { AsyncResource } from 'node:async_hooks'
import { type Abortable, forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { textOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { stallText, TimerEntry } from '../base/time/timer-wheel.ts'
import type { CallOptions } from '../message/call-options.ts'
import type { MessageType } from '../message/message-type.ts'
import type { MeteredCall, RouteCounts, WaitingCall } from '../overload/meter.ts'
import { countRetry } from './retry-counts.ts'
import type { CallOrigin } from './tracer.ts'

export type Settle = (value: unknown) => void
export type Reject = (error: unknown) => void

/** Key of a call that can be retried but is not idempotent. Such calls are queued after all with a key. */
export const NO_KEY = Number.POSITIVE_INFINITY

/** The request of a caller, with which a call can be made later or retried. */
export class CallRequest implements WaitingCall {
  readonly method: string
  readonly arg: unknown
  options: CallOptions | undefined
  /** Whether the caller wants a Reply, not just its body. */
  readonly full: boolean
  readonly resolve: Settle
  readonly reject: Reject
  /** As `PendingCall.key`. */
  readonly key: number
  /** Async context of the caller, in which hooks of a retried call run; undefined without hooks. */
  caller: AsyncResource | undefined
  /** Place of the call in its trace; undefined without a tracer, and for a call that is made for the first time. */
  origin: CallOrigin
  /** Counts of the service method while the call waits. Declared only: most requests are never used. */
  declare counts?: RouteCounts | null
  /** Time at which the call was made first, by the endpoint's meter. */
  declare begun?: number | undefined

  constructor(method: string, arg: unknown, options: CallOptions | undefined, full: boolean, resolve: Settle, reject: Reject, key: number) {
    this.method = method
    this.arg = arg
    this.options = options
    this.full = full
    this.resolve = resolve
    this.reject = reject
    this.key = key
    this.caller = undefined
    this.origin = undefined
  }
}

/** The session of a pending call, as the call sees it. */
export interface CallOwner {
  /**
   * Queues a call to be retried, or fails it.
   *
   * @param left milliseconds until its deadline, 0 for none
   */
  requeueCall(request: CallRequest, left: number): void
  /**
   * Removes a call whose caller has stopped waiting.
   *
   * @param code 408 at its deadline, 499 because of its signal
   */
  abandon(call: PendingCall, code: number): void
}

/** A CALL without its REPLY yet. It is in its session's table, and in the timer wheel when it has a deadline. */
export class PendingCall extends TimerEntry implements Abortable, MeteredCall {
  readonly seq: number
  readonly owner: CallOwner
  readonly method: string
  /** Whether the caller wants a Reply, not just its body. */
  readonly full: boolean
  /** Type of the reply's body, for codecs that need one. */
  readonly resultType: MessageType | undefined
  // One object is made per call: fields are `private`, not `#`, because initializing a `#` field costs a call each.
  private readonly resolve: Settle
  private readonly reject: Reject
  private signal: AbortSignal | null
  /** The request with which the call is retried; null when a failure is final. */
  retryRequest: CallRequest | null
  /** Key of an idempotent call, which survives the loss of its connection; 0 for none. */
  key: number
  /** Counts of the service method by the endpoint's meter; null without a meter. */
  counts: RouteCounts | null
  /** Time at which the call was sent, by that meter. */
  begun: number

  constructor(
    owner: CallOwner,
    seq: number,
    method: string,
    full: boolean,
    resultType: MessageType | undefined,
    resolve: Settle,
    reject: Reject,
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
    this.counts = null
    this.begun = 0
  }

  /** Cancels the call when `signal` fires. Requires a signal that has not fired yet. */
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
    if (this.counts !== null) this.counts.ended(this.begun, Code.Ok, 0, undefined)
    this.resolve(value)
  }

  fail(error: StatusError): void {
    this.#unlisten()
    if (this.counts !== null) this.counts.ended(this.begun, error.code, 0, undefined)
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

  /**
   * Retries the call with its `retryRequest`. This object is not used any more.
   *
   * @param now by the clock of its deadline
   */
  retry(now: number): void {
    this.#unlisten()
    const request = this.retryRequest as CallRequest
    countRetry(this, request)
    this.owner.requeueCall(request, this.deadline === 0 ? 0 : Math.max(this.deadline - now, 1))
  }

  #unlisten(): void {
    if (this.signal === null) return
    forgetAbort(this.signal, this)
    this.signal = null
  }
}

/** The error of a call whose signal has fired: 499. */
export function canceled(signal: AbortSignal): StatusError {
  return new StatusError(Code.Canceled, statusText(Code.Canceled), textOf(signal.reason))
}
