import { textOf } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { RETRY_AFTER_KEY, readTimeout } from '../message/announcement.ts'
import { type Meta, noMeta } from '../message/meta.ts'
import type { DecodedStatus } from '../message/status-json.ts'
import { SendResult } from './transport.ts'

/** What a caller is told when the transport did not take its message. */
export function sendFailure(result: SendResult): StatusError {
  if (result === SendResult.Closed) return new StatusError(Code.ConnectionClosed)
  const cause = result === SendResult.Unsent ? 'the peer does not read: unsent bytes over the limit' : 'message over the size limit'
  return new StatusError(Code.WriteFailed, statusText(Code.WriteFailed), cause)
}

/** @throws what it failed with, unless it was taken */
export function requireSent(result: SendResult): void {
  if (result !== SendResult.Ok) throw sendFailure(result)
}

/** For a promise of `requireSent`. */
export function refuseToSend(error: unknown): never {
  throw asWriteFailure(error)
}

/** Whatever kept a message from being sent, as the caller's StatusError. */
export function asWriteFailure(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  return new StatusError(Code.WriteFailed, statusText(Code.WriteFailed), textOf(error))
}

/** Whatever a codec threw over received bytes, as the caller's StatusError. */
export function asBadMessage(error: unknown): StatusError {
  if (error instanceof StatusError) return error
  return new StatusError(Code.BadMessage, statusText(Code.BadMessage), textOf(error))
}

/** What a REPLY tells of a call that failed. */
export function receivedFailure({ code, message, cause }: DecodedStatus, meta: Meta): StatusError {
  const told = meta === noMeta ? undefined : meta[RETRY_AFTER_KEY]
  const retryAfter = told === undefined ? undefined : readTimeout(told)
  // Refusals come by the thousand, when time is short on both sides.
  return new StatusError(code, message, cause, { stack: retryAfter === undefined, retryAfter })
}
