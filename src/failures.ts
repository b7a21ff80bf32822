import { Code, StatusError, statusText, textOf } from './status.ts'
import { SendResult } from './transport.ts'

/** What a caller is told when the transport did not take its message. */
export function sendFailure(result: SendResult): StatusError {
  if (result === SendResult.Closed) return new StatusError(Code.ConnectionClosed)
  const cause = result === SendResult.Unsent ? 'the peer does not read: unsent bytes over the limit' : 'message over the size limit'
  return new StatusError(Code.WriteFailed, statusText(Code.WriteFailed), cause)
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
