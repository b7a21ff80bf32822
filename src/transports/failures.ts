import { textOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { RETRY_AFTER_KEY, readTimeout } from '../message/announcement.ts'
import { type Meta, noMeta } from '../message/meta.ts'
import type { DecodedStatus } from '../message/status-json.ts'
import { SendResult } from './transport.ts'

/** The caller's error for a message that the transport did not accept. */
export function sendFailure(result: SendResult): StatusError {
  if (result === SendResult.Closed) return new StatusError(Code.ConnectionClosed, undefined, undefined, { unsent: true })
  if (result === SendResult.Unsent) {
    const cause = 'the peer does not read: unsent bytes over the limit'
    return new StatusError(Code.WriteFailed, statusText(Code.WriteFailed), cause, { unsent: true })
  }
  return new StatusError(Code.WriteFailed, statusText(Code.WriteFailed), 'message over the size limit')
}

/** @throws StatusError unless the message was accepted */
export function requireSent(result: SendResult): void {
  if (result !== SendResult.Ok) throw sendFailure(result)
}

/** Rethrows an error as `asWriteFailure` makes it, for promises of `requireSent`. */
export function refuseToSend(error: unknown): never {
  throw asWriteFailure(error)
}

/** The caller's StatusError for an error that kept a message from being sent: itself if it is one, else a 104. */
export function asWriteFailure(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  return new StatusError(Code.WriteFailed, statusText(Code.WriteFailed), textOf(error))
}

/** The caller's StatusError for an error of a codec over received bytes: itself if it is one, else a 400. */
export function asBadMessage(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  return new StatusError(Code.BadMessage, statusText(Code.BadMessage), textOf(error))
}

/**
 * The error in a REPLY that failed. A peer tells no cause of a 404, as Go does not, so that the caller's side gives one
 * where the method lacks its slash.
 */
export function receivedFailure({ code, message, cause }: DecodedStatus, meta: Meta, method: string): StatusError {
  const retryAfterText = meta === noMeta ? undefined : meta[RETRY_AFTER_KEY]
  const retryAfter = retryAfterText === undefined ? undefined : readTimeout(retryAfterText)
  // Without a stack for refusals, because they arrive by the thousand when both sides are overloaded.
  const stack = retryAfter === undefined
  if (code === Code.NotFound && message === statusText(code) && !/^\/|\./.test(method)) cause ||= 'names of routes begin with "/"'
  return new StatusError(code, message, cause, { stack, retryAfter })
}
