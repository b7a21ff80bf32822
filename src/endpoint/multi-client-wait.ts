import { forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import { timeLimit } from '../base/check-options.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { type CallOptions, checkCallOptions, requireMethod } from '../message/call-options.ts'
import type { Settings } from '../session/options.ts'
import { canceled } from '../session/pending-call.ts'
import type { RequestQueue } from '../session/redial.ts'

/** The error of what a closed client was asked for, or waited for. */
export function closed(): StatusError {
  return new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the client was closed', { stack: false })
}

/**
 * Waits in `queue` until a session has capacity, within the deadline. A call or push that fails meanwhile is counted
 * here, because no session sees it.
 *
 * @param start called when there is one, with the options, whose timeout is what is left then
 * @throws StatusError (rejects) 408, 499, or 102 when the client is closed or too many wait
 * @throws TypeError or RangeError (rejects) that names a bad option
 */
export function waitForSession<T>(
  queue: RequestQueue,
  { clock, meter, timeout: fallback }: Settings,
  isClosed: boolean,
  method: string,
  isCall: boolean,
  options: CallOptions | undefined,
  start: (options: CallOptions) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    requireMethod(method)
    if (options !== undefined) checkCallOptions(options)
    const timeout = timeLimit('timeout', options?.timeout, fallback)
    const signal = options?.signal
    const begun = clock.now()
    const fail = (error: StatusError): void => {
      if (signal !== undefined) forgetAbort(signal, abort)
      if (isCall) meter?.notCalled(method, error.code, clock.now() - begun, options?.forwarded)
      else meter?.notPushed(method, options?.forwarded)
      reject(error)
    }
    let leave = (): void => {}
    const abort = {
      onAbort(fired: AbortSignal): void {
        leave()
        fail(canceled(fired))
      },
    }
    const run = (waited: number): void => {
      if (signal !== undefined) forgetAbort(signal, abort)
      resolve(start({ ...options, timeout: timeout === 0 ? 0 : Math.max(timeout - waited, 1) }))
    }
    try {
      if (isClosed) throw closed()
      if (signal?.aborted) throw canceled(signal)
      leave = queue.add(timeout, run, fail)
    } catch (error) {
      fail(error as StatusError)
      return
    }
    if (signal !== undefined) whenAborted(signal, abort)
  })
}
