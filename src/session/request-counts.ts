import type { StatusError } from '../base/errors/status.ts'
import type { Meter } from '../overload/meter.ts'
import type { SessionCore } from './core.ts'
import type { CallRequest } from './pending-call.ts'
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
export function countUnsent({ settings: { meter } }: SessionCore, method: string, sent: Promise<void>): Promise<void> {
  if (meter !== null) sent.catch(() => meter.notPushed(method))
  return sent
}

/** Counts a push that could not be sent. Returns `error`. */
export function countNotPushed({ settings }: SessionCore, method: string, error: StatusError): StatusError {
  settings.meter?.notPushed(method)
  return error
}

/**
 * Counts a call that failed before it was sent. Returns `error`.
 *
 * @param waited of a call that waited for a connection, whose wait is over
 */
export function countNotCalled(
  { settings: { meter } }: SessionCore,
  method: string,
  error: StatusError,
  waited: CallRequest | undefined,
): StatusError {
  if (meter !== null) meter.notCalled(method, error.code, waited?.begun === undefined ? 0 : meter.since(waited.begun))
  return error
}

/** Counts a call that begins to wait for a connection. */
export function beginWait({ settings }: SessionCore, request: CallRequest): void {
  settings.meter?.waiting(request)
}

/** Counts the end of a wait after which the call is made. */
export function endWait({ counts }: CallRequest): void {
  counts?.retried()
}

/** Counts a call that failed while it waited for a connection, and makes its span. */
export function failWait({ session, settings }: SessionCore, request: CallRequest, code: number): void {
  const { counts, begun = 0, method, origin } = request
  counts?.ended(begun, code, 0, undefined)
  settings.tracer?.calling(session, method, true, origin)?.finished(code)
}

/** Counts a push that failed while it waited for a connection, and makes its span. */
export function failPushWait({ session, settings }: SessionCore, method: string, origin: CallOrigin, code: number): void {
  settings.meter?.notPushed(method)
  settings.tracer?.calling(session, method, false, origin)?.finished(code)
}
