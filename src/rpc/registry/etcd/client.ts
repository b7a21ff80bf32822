import { orAborted } from '../../../base/async/or-aborted.ts'
import { reasonOf } from '../../../base/errors/error-text.ts'
import { type Clock, realClock } from '../../../base/time/clock.ts'
import { retryDelay } from '../../../base/time/retry-delay.ts'
import { sleep } from '../../../base/time/sleep.ts'
import type { Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Credentials } from './credentials.ts'
import type { CallHandler, GrpcCall } from './grpc-call.ts'
import { EtcdError, GrpcCode, isRetryable, isTokenRefused, isWatchRefused, unavailable } from './grpc-status.ts'
import type { Method } from './messages.ts'
import { unary } from './unary.ts'

/** Milliseconds before a failed call is tried again, when each server has been tried. Doubles. */
const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 500
/** Times that a token may be refused before that counts as the answer. */
const MAX_REFUSALS = 2

interface ClientLimits {
  /** Milliseconds for an operation with all its tries. */
  readonly timeout: number
  /** Milliseconds for one try with one server. */
  readonly attemptTimeout: number
}

export interface OperationOptions {
  /** Ends the operation. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. Default: `ClientLimits.timeout`. */
  readonly timeout?: number
  /** Servers that know no leader may answer. Default: they refuse, and another one is asked. */
  readonly withoutLeader?: boolean
}

/** Calls of etcd that are tried until one server has answered, or the time is over. */
export class Client {
  readonly limits: ClientLimits
  readonly #channel: Channel
  readonly #credentials: Credentials | undefined
  readonly #clock: Clock
  readonly #running = new Set<AbortController>()
  #closed = false

  constructor(channel: Channel, credentials: Credentials | undefined, limits: ClientLimits, clock: Clock = realClock) {
    this.#channel = channel
    this.#credentials = credentials
    this.limits = limits
    this.#clock = clock
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /**
   * The answer to one request. Whatever is asked for may happen more than once.
   * @throws EtcdError; the reason of `signal` when that fires
   */
  async call<Request, Response>(method: Method<Request, Response>, request: Request, options: OperationOptions = {}): Promise<Response> {
    if (this.#closed) throw unavailable('it is closed')
    const { signal, timeout = this.limits.timeout } = options
    signal?.throwIfAborted()
    const operation = new AbortController()
    this.#running.add(operation)
    const timer = this.#clock.setTimeout(() => operation.abort(TIMED_OUT), timeout)
    const answer = this.#tryUntilAnswered(method, request, operation.signal, options.withoutLeader !== true)
    try {
      return await orAborted(answer, signal)
    } finally {
      this.#clock.clearTimeout(timer)
      this.#running.delete(operation)
      operation.abort(GIVEN_UP)
      answer.catch(() => {})
    }
  }

  /**
   * Opens a stream with the server that new calls go to; one try.
   * @throws EtcdError
   */
  async open(
    path: string,
    handler: CallHandler,
    signal: AbortSignal,
  ): Promise<{ call: GrpcCall; connection: Connection; token: string | undefined }> {
    const limits = { timeout: this.limits.attemptTimeout, signal }
    const connection = await orAborted(this.#channel.connection(), signal)
    try {
      const token = await this.#credentials?.token(connection, limits)
      return { call: connection.call(path, { token, needsLeader: true }, handler), connection, token }
    } catch (error) {
      if (isRetryable(error)) this.#channel.failed(connection)
      throw error
    }
  }

  /** Takes in why a watch that `open` began ended: the next one gets another server or token, if that may help. */
  failed(connection: Connection, token: string | undefined, error: unknown): void {
    if (isWatchRefused(error)) this.#credentials?.refused(token)
    else if (isRetryable(error)) this.#channel.failed(connection)
  }

  close(): void {
    this.#closed = true
    for (const operation of this.#running) operation.abort(CLOSED)
    this.#channel.close()
  }

  async #tryUntilAnswered<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    signal: AbortSignal,
    needsLeader: boolean,
  ): Promise<Response> {
    let last: unknown
    let refusals = 0
    for (let tries = 0; ; tries++) {
      let connection: Connection | undefined
      let token: string | undefined
      try {
        connection = await orAborted(this.#channel.connection(), signal)
        const limits = { timeout: this.limits.attemptTimeout, signal }
        token = await orAborted(this.#credentials?.token(connection, limits) ?? Promise.resolve(undefined), signal)
        return await unary(connection, method, request, { token, needsLeader }, limits, this.#clock)
      } catch (error) {
        if (signal.aborted) throw this.#ended(signal, last)
        last = error
        const isRefused = this.#credentials !== undefined && isTokenRefused(error)
        if (isRefused ? ++refusals > MAX_REFUSALS : !isRetryable(error)) throw error
        if (isRefused) this.#credentials?.refused(token)
        else if (connection !== undefined) this.#channel.failed(connection)
      }
      const pause = retryDelay(tries, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, this.#clock)
      await sleep(this.#clock, pause, signal).catch(() => Promise.reject(this.#ended(signal, last)))
    }
  }

  #ended(signal: AbortSignal, last: unknown): EtcdError {
    if (signal.reason !== TIMED_OUT) return unavailable(signal.reason === CLOSED ? 'it is closed' : 'given up')
    const why = last === undefined ? '' : `: ${reasonOf(last)}`
    return new EtcdError(GrpcCode.DeadlineExceeded, `no answer in time${why}`)
  }
}

const TIMED_OUT = new Error('timed out')
const GIVEN_UP = new Error('given up')
const CLOSED = new Error('closed')
