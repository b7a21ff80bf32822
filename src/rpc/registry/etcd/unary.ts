import { type Abortable, forgetAbort, whenAborted } from '../../../base/async/when-aborted.ts'
import { type Clock, realClock } from '../../../base/time/clock.ts'
import type { Connection } from './connection.ts'
import type { CallHeaders, GrpcCall } from './grpc-call.ts'
import { EtcdError, GrpcCode } from './grpc-status.ts'
import type { Method } from './messages.ts'

/** Ends of a call that is not answered. */
export interface CallLimits {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/**
 * Sends one request on `connection` and resolves to the first message that comes back, also of a method that could
 * send more.
 * @throws EtcdError
 */
export function unary<Request, Response>(
  connection: Connection,
  { path, encode, decode }: Method<Request, Response>,
  request: Request,
  headers: CallHeaders,
  { timeout, signal }: CallLimits,
  clock: Clock = realClock,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    let call: GrpcCall | undefined
    const answer: Abortable = {
      onAbort: () => call?.cancel(new EtcdError(GrpcCode.Cancelled, 'the call was given up')),
    }
    const timer = clock.setTimeout(() => call?.cancel(new EtcdError(GrpcCode.DeadlineExceeded, `no answer within ${timeout} ms`)), timeout)
    const end = (): void => {
      clock.clearTimeout(timer)
      forgetAbort(signal, answer)
    }
    let answered = false
    try {
      call = connection.call(path, headers, {
        onMessage(bytes) {
          if (answered) return
          answered = true
          resolve(decode(bytes))
        },
        onEnd(error) {
          end()
          reject(error ?? new EtcdError(GrpcCode.Internal, 'success without an answer'))
        },
      })
    } catch (error) {
      end()
      throw error
    }
    whenAborted(signal, answer)
    call.send(encode(request), true)
  })
}
