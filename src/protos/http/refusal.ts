import { nodeHttp } from '../../base/builtin.ts'
import { CloseReason } from '../../message/close-reason.ts'
import { encodeStatus } from '../../message/status-json.ts'
import { ProtoError } from '../proto.ts'

/**
 * Makes the error for a message that is refused.
 *
 * @param status HTTP status
 */
export type Refuse = (status: number, cause: string, reason?: CloseReason) => ProtoError

/**
 * The response to a request that reached no handler.
 *
 * @param lines header lines, each with its CRLF
 */
export function denied(status: number, cause: string, lines: string): string {
  const text = nodeHttp().STATUS_CODES[status] ?? 'Bad Request'
  const body = encodeStatus(status, text, cause)
  return `HTTP/1.1 ${status} ${text}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${lines}\r\n${body}`
}

/** Refuses a request after which the stream cannot be trusted: a response is sent, then the connection closes. */
export const refuseRequest: Refuse = (status, cause, reason = CloseReason.Malformed) =>
  new ProtoError(`http: ${cause}`, reason, denied(status, cause, 'Connection: close\r\n'))

/** Refuses a response, which cannot be answered. */
export const refuseResponse: Refuse = (_status, cause, reason = CloseReason.Malformed) => new ProtoError(`http: ${cause}`, reason)
