import type { StatusError } from '../base/errors/status.ts'
import type { Meter } from '../overload/meter.ts'
import type { SessionCore } from './core.ts'
import type { CallOrigin } from './tracer.ts'

/**
 * Counts a push once it was sent. One that was not sent is left to `countUnsent`.
 *
 * @param sent of the push; undefined when it was sent at once
 * @returns settles as `sent`
 */
export function countSent(meter: Meter | null, method: string, bytes: number, sent: Promise<void> | undefined): Promise<void> | undefined {
  if (sent === undefined) meter?.pushed(method, bytes)
  else if (meter !== null) return sent.then(() => meter.pushed(method, bytes))
  return sent
}

/** Counts a push that hooks or filters delay, if it is not sent after all. Returns `sent`. */
export function countUnsent(meter: Meter | null, method: string, sent: Promise<void>): Promise<void> {
  if (meter !== null) sent.catch(() => meter.notPushed(method))
  return sent
}

/** Counts a push that could not be sent. Returns `error`. */
export function countNotPushed(meter: Meter | null, method: string, error: StatusError): StatusError {
  meter?.notPushed(method)
  return error
}

/** Counts a call that failed before it was sent. Returns `error`. */
export function countNotCalled(meter: Meter | null, method: string, error: StatusError): StatusError {
  meter?.notCalled(method, error.code)
  return error
}

/** Counts a request that failed while it waited for a connection, and makes its span. */
export function failedWaiting({ session, settings }: SessionCore, method: string, isCall: boolean, origin: CallOrigin, code: number): void {
  const { meter, tracer } = settings
  if (isCall) meter?.notCalled(method, code)
  else meter?.notPushed(method)
  tracer?.calling(session, method, isCall, origin)?.finished(code)
}
