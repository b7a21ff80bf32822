import { currentCall } from '../base/async/call-context.ts'
import { forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { timeLimit } from '../base/check-options.ts'
import { Code, StatusError } from '../base/errors/status.ts'
import type { PushOptions } from '../message/call-options.ts'
import type { Calls, SessionCore } from './core.ts'
import type { Settings } from './options.ts'
import { type CallRequest, canceled, NO_KEY } from './pending-call.ts'
import { RequestQueue } from './redial.ts'
import { beginWait, endWait, failPushWait, failWait } from './request-counts.ts'
import type { SessionState } from './state.ts'

/**
 * Milliseconds after which a draining peer may be available again. Callers get it as `retryAfter` where the peer named
 * no time.
 */
const DRAIN_RETRY = 1000

/**
 * Requires that calls and pushes may wait for a connection.
 *
 * @param wait the option of redial
 * @throws StatusError 102 or 503
 */
export function requireWaiting(state: SessionState, wait: boolean): void {
  if (state === 'disconnected' || ((state === 'redialing' || state === 'draining') && wait)) return
  if (state !== 'draining') throw new StatusError(Code.ConnectionClosed, undefined, undefined, { unsent: true })
  throw new StatusError(Code.ServiceUnavailable, undefined, 'the peer is about to close', { retryAfter: DRAIN_RETRY, unsent: true })
}

/** Calls and pushes of one session that wait for a connection, each within its deadline. */
export class OfflineCalls {
  readonly #session: SessionCore
  readonly #calls: Calls
  readonly #settings: Settings
  readonly #queue: RequestQueue

  constructor(session: SessionCore) {
    const { settings } = session
    this.#session = session
    this.#calls = session.calls
    this.#settings = settings
    this.#queue = new RequestQueue(session.wheel, settings.limits.maxRunning)
  }

  /**
   * Queues a call made while there is no connection.
   *
   * @throws StatusError 102 when too many wait, 499 when its signal has fired
   * @throws RangeError for a bad timeout
   */
  call(request: CallRequest): void {
    const { timeout: fallback, clock } = this.#settings
    let timeout = timeLimit('timeout', request.options?.timeout, fallback)
    const parentCall = currentCall()
    if (parentCall !== undefined) {
      const left = (parentCall.expires as number) - clock.now()
      timeout = Math.max(timeout === 0 ? left : Math.min(timeout, left), 1)
      request.options = { ...request.options, signal: request.options?.signal ?? parentCall.signal }
    }
    const signal = request.options?.signal
    if (signal?.aborted) throw canceled(signal)
    this.add(request, timeout)
  }

  /**
   * Queues a call.
   *
   * @param timeout milliseconds until its deadline, 0 for none
   * @throws StatusError 102 when too many wait
   */
  add(request: CallRequest, timeout: number): void {
    const signal = request.options?.signal
    const run = (waited: number): void => {
      if (signal !== undefined) forgetAbort(signal, abort)
      endWait(request)
      this.#calls.makeCall(request, timeout === 0 ? 0 : Math.max(timeout - waited, 1))
    }
    const fail = (error: StatusError): void => {
      if (signal !== undefined) forgetAbort(signal, abort)
      this.#calls.closeKey(request.key)
      failWait(this.#session, request, error.code)
      request.reject(error)
    }
    const { caller } = request
    const bound = caller === undefined ? run : caller.bind(run)
    const leave = this.#queue.add(timeout, bound, fail, request.key > 0 ? request.key : NO_KEY)
    beginWait(this.#session, request)
    const abort = {
      onAbort(fired: AbortSignal): void {
        leave()
        fail(canceled(fired))
      },
    }
    if (signal !== undefined) whenAborted(signal, abort)
  }

  /**
   * Queues a push. Resolves when it is sent on the next connection, and rejects with 408 at the deadline.
   *
   * @throws StatusError 102 when too many wait
   */
  push(method: string, arg: unknown, options: PushOptions | undefined): Promise<void> {
    const { tracer } = this.#settings
    const origin = tracer?.origin(undefined)
    let settle!: (sent: Promise<void>) => void
    const pushed = new Promise<void>((resolve) => {
      settle = resolve
    })
    const send = (): Promise<void> => this.#calls.push(method, arg, options)
    const fail = (error: StatusError): void => {
      failPushWait(this.#session, method, options, origin, error.code)
      settle(Promise.reject(error))
    }
    this.#queue.add(this.#settings.timeout, () => settle(tracer?.run(origin, send, undefined) ?? send()), fail)
    return pushed
  }

  /** Sends all that wait: there is a connection. */
  run(): void {
    this.#queue.run()
  }

  /** Fails all that wait: there will be no connection. */
  fail(error: StatusError): void {
    this.#queue.fail(error)
  }
}
