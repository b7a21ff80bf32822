import type { StatusError } from '../base/errors/status.ts'
import type { CallOptions, PushOptions } from '../message/call-options.ts'
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
export function countSent(
  meter: Meter | null,
  method: string,
  bytes: number,
  sent: Promise<void> | undefined,
  forwarded: boolean,
): Promise<void> | undefined {
  if (sent === undefined) meter?.pushed(method, bytes, forwarded)
  else if (meter !== null) return sent.then(() => meter.pushed(method, bytes, forwarded))
  return sent
}

/** Counts a push that hooks or filters delay, if it is not sent after all. Returns `sent`. */
export function countUnsent(
  { settings: { meter } }: SessionCore,
  method: string,
  sent: Promise<void>,
  options: PushOptions | undefined,
): Promise<void> {
  if (meter !== null) sent.catch(() => meter.notPushed(method, options?.forwarded))
  return sent
}

/** Counts a push that could not be sent. Returns `error`. */
export function countNotPushed(
  { settings }: SessionCore,
  method: string,
  error: StatusError,
  options: PushOptions | undefined,
): StatusError {
  settings.meter?.notPushed(method, options?.forwarded)
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
  options: CallOptions | undefined,
  waited: CallRequest | undefined,
): StatusError {
  const ms = meter === null || waited?.begun === undefined ? 0 : meter.since(waited.begun)
  meter?.notCalled(method, error.code, ms, options?.forwarded)
  return error
}

/** Counts a call that begins to wait for a connection. */
export function beginWait({ settings }: SessionCore, request: CallRequest): void {
  settings.meter?.waiting(request, request.options?.forwarded)
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
export function failPushWait(
  { session, settings }: SessionCore,
  method: string,
  options: PushOptions | undefined,
  origin: CallOrigin,
  code: number,
): void {
  settings.meter?.notPushed(method, options?.forwarded)
  settings.tracer?.calling(session, method, false, origin)?.finished(code)
}
