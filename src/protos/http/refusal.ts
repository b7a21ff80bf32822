import { STATUS_CODES } from 'node:http'
import { CloseReason } from '../../close-reason.ts'
import { ProtoError } from '../../proto.ts'
import { encodeStatus } from '../../status-json.ts'

/** Makes the error for a message that is not taken; `status` is an HTTP one. */
export type Refuse = (status: number, cause: string, reason?: CloseReason) => ProtoError

/** A request that is not served, and after which the stream is not to be trusted: it is answered, then the connection closes. */
export const refuseRequest: Refuse = (status, cause, reason = CloseReason.Malformed) => {
  const text = STATUS_CODES[status] ?? 'Bad Request'
  const body = encodeStatus(status, text, cause)
  const head = `HTTP/1.1 ${status} ${text}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  return new ProtoError(`http: ${cause}`, reason, `${head}Connection: close\r\n\r\n${body}`)
}

/** A response that cannot be read. There is no answer to one. */
export const refuseResponse: Refuse = (_status, cause, reason = CloseReason.Malformed) => new ProtoError(`http: ${cause}`, reason)
