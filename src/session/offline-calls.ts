import { currentCall } from '../base/async/call-context.ts'
import { forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { timeLimit } from '../base/check-options.ts'
import type { StatusError } from '../base/errors/status.ts'
import type { PushOptions } from '../message/call-options.ts'
import type { Calls, SessionCore } from './core.ts'
import type { Settings } from './options.ts'
import { type CallRequest, canceled, NO_KEY } from './pending-call.ts'
import { RequestQueue } from './redial.ts'

/** Calls and pushes of one session that wait for a connection, each within its deadline. */
export class OfflineCalls {
  readonly #calls: Calls
  readonly #settings: Settings
  readonly #room: RequestQueue

  constructor(session: SessionCore) {
    const { settings } = session
    this.#calls = session.calls
    this.#settings = settings
    this.#room = new RequestQueue(session.wheel, settings.limits.maxRunning)
  }

  /** A call that is made now. @throws StatusError 102 when too many wait, 499 when its signal has fired; RangeError for a bad timeout */
  call(request: CallRequest): void {
    const { timeout: usual, clock } = this.#settings
    let timeout = timeLimit('timeout', request.options?.timeout, usual)
    const around = currentCall()
    if (around !== undefined) {
      const left = (around.expires as number) - clock.now()
      timeout = Math.max(timeout === 0 ? left : Math.min(timeout, left), 1)
      request.options = { ...request.options, signal: request.options?.signal ?? around.signal }
    }
    const signal = request.options?.signal
    if (signal?.aborted) throw canceled(signal)
    this.add(request, timeout)
  }

  /** @param timeout milliseconds that are left, 0 for no end @throws StatusError 102 when too many wait */
  add(request: CallRequest, timeout: number): void {
    const signal = request.options?.signal
    const run = (waited: number): void => {
      if (signal !== undefined) forgetAbort(signal, abort)
      this.#calls.makeCall(request, timeout === 0 ? 0 : Math.max(timeout - waited, 1))
    }
    const fail = (error: StatusError): void => {
      if (signal !== undefined) forgetAbort(signal, abort)
      this.#calls.closeKey(request.key)
      request.reject(error)
    }
    const { caller } = request
    const again = caller === undefined ? run : caller.bind(run)
    const leave = this.#room.add(timeout, again, fail, request.key > 0 ? request.key : NO_KEY)
    const abort = {
      onAbort(fired: AbortSignal): void {
        leave()
        fail(canceled(fired))
      },
    }
    if (signal !== undefined) whenAborted(signal, abort)
  }

  /** Resolves when it is queued. @throws StatusError 102 when too many wait */
  push(method: string, arg: unknown, options: PushOptions | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#room.add(this.#settings.timeout, () => resolve(this.#calls.push(method, arg, options)), reject)
    })
  }

  /** The connection is there. */
  run(): void {
    this.#room.run()
  }

  /** None comes any more. */
  fail(error: StatusError): void {
    this.#room.fail(error)
  }
}
