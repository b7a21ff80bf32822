import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { replyMeta, setReplyMeta } from '../message/reply.ts'

/** Where an error of an `RpcClient` comes from. */
export interface RpcErrorOrigin {
  /** Name of the service that was called. */
  readonly service: string
  /** Address of the node that failed last; undefined when no node was reached. */
  readonly node: string | undefined
  /** Number of requests that were sent, or were about to be. */
  readonly attempts: number
}

/** A call of an `RpcClient` failed: a `StatusError` that says where. */
export class RpcError extends StatusError implements RpcErrorOrigin {
  readonly service: string
  readonly node: string | undefined
  readonly attempts: number

  /**
   * @param error what the last attempt failed with. The text of what a service throws itself, codes from 1000, stays as
   *   it is; the cause of others gets the origin.
   */
  constructor(error: StatusError, { service, node, attempts }: RpcErrorOrigin) {
    const { code, message, cause, retryAfter } = error
    const place = `${service}${node === undefined ? '' : ` at ${node}`}, attempt ${attempts}`
    const text = code >= FIRST_OF_APPLICATIONS ? cause : cause === '' ? place : `${cause} (${place})`
    super(code, message, text, { stack: false, retryAfter, unsent: error.unsent })
    this.service = service
    this.node = node
    this.attempts = attempts
    // The frames of an error that was made where its reply was read lead nowhere; it is kept for whoever debugs that.
    const meta = replyMeta(error)
    if (Object.keys(meta).length > 0) setReplyMeta(this, meta)
  }
}

const FIRST_OF_APPLICATIONS: Code | number = 1000

/** The error of a call that was not answered in time. */
export function late(failure: StatusError | undefined): StatusError {
  const reason = failure === undefined ? '' : `, last failure: ${failure.message}${failure.cause === '' ? '' : `: ${failure.cause}`}`
  return new StatusError(Code.HandleTimeout, undefined, `no reply within the deadline${reason}`, { stack: false })
}

/** The error of a call of a client that is closed. */
export function closedError(): StatusError {
  return new StatusError(Code.WrongConnection, statusText(Code.WrongConnection), 'the client is closed', { stack: false, unsent: true })
}
