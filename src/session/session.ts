import { EventEmitter } from 'node:events'
import { duration, timeLimit } from '../base/check-options.ts'
import { badMessage } from '../base/errors/status.ts'
import { markOf } from '../base/mark.ts'
import type { SessionSocket } from '../hooks/session-socket.ts'
import type { CtxSession, EarlyMessage, EarlyOptions, EarlySession } from '../hooks/session-views.ts'
import type { CallOptions, PushOptions, TypedCallOptions } from '../message/call-options.ts'
import { MessageType } from '../message/message.ts'
import type { Reply } from '../message/reply.ts'
import type { Connection } from '../transports/transport.ts'
import { SessionEngine } from './engine.ts'
import { Inbound } from './inbound.ts'
import type { SessionEvents } from './session-events.ts'
import type { NewSession, SessionOwner } from './session-owner.ts'
import type { SessionState } from './state.ts'

/** Where a session keeps what its users do not see: every copy of this package finds it there. */
const engineMark: unique symbol = markOf('engine') as typeof engineMark

export function engineOf(session: Session): SessionEngine {
  return session[engineMark]
}

/**
 * One peer, which either side may call or push (docs/spec/behaviour.md#session, docs/spec/behaviour.md#calls). Made by `Endpoint.dial` and `Endpoint.listen`.
 *
 * This is its public face, in four views: `BaseSession` is what is always there, `CtxSession` what hooks see while it runs, `EarlySession` what they see
 * before, and this is all of it. Behind it `SessionEngine` owns the state and replaces connections, each a `PeerLink`; what this side asks goes out by
 * `OutgoingCalls`, what comes goes through `Inbound`, and what the peer asks is kept in `IncomingRequests`.
 */
export class Session extends EventEmitter<SessionEvents> implements CtxSession, EarlySession {
  readonly #engine: SessionEngine
  #data: Map<unknown, unknown> | undefined

  /** @internal */
  constructor(engine: SessionEngine) {
    super()
    this.#engine = engine
  }

  /** @internal */
  get [engineMark](): SessionEngine {
    return this.#engine
  }

  /** Unique in its endpoint. At first the remote address on the accepting side, the local one on the dialling side. */
  get id(): string {
    return this.#engine.id
  }

  /** Another session that has this id is closed, as in Go. */
  setId(id: string): void {
    this.#engine.setId(id)
  }

  get state(): SessionState {
    return this.#engine.state
  }

  /** Calls and pushes may be made: the session is in state `open`. Go's `Health`. */
  get isOpen(): boolean {
    return this.#engine.state === 'open'
  }

  /** Name of the protocol it speaks, such as 'raw'. */
  get protocol(): string {
    return this.#engine.protocol
  }

  get localAddress(): string {
    return this.#engine.localAddress
  }

  /** `host:port`, or the path of a Unix socket (`@` when it has none). */
  get remoteAddress(): string {
    return this.#engine.remoteAddress
  }

  /** The application's own data about this session. Go's `Swap`. */
  get data(): Map<unknown, unknown> {
    this.#data ??= new Map()
    return this.#data
  }

  /** Changes when bytes of the peer came, or it took some that had to wait for it; NaN while it is not read. */
  get activity(): number {
    return this.#engine.activity
  }

  /** The socket below it, to look at and to set up. */
  get socket(): SessionSocket {
    return this.#engine.socket
  }

  /** Maximum lifetime in milliseconds; 0 means unlimited. Default: the endpoint's `sessionAge`. */
  get age(): number {
    return this.#engine.age
  }

  /**
   * Closes the session gracefully this many milliseconds from now, 0 for never; one with redial reconnects then, and has as many again
   * (docs/spec/behaviour.md#age). No more than 2^31 - 1.
   *
   * @throws RangeError
   */
  setAge(ms: number): void {
    this.#engine.setAge(timeLimit('age', ms ?? Number.NaN, 0))
  }

  /** Milliseconds that a handler of the peer's requests may run, 0 for no limit. Default: the endpoint's `handlerTimeout`. */
  get handlerTimeout(): number {
    return this.#engine.handlerTimeout
  }

  /** Counts for requests that come from now on. @throws RangeError */
  setHandlerTimeout(ms: number): void {
    this.#engine.handlerTimeout = timeLimit('handlerTimeout', ms ?? Number.NaN, 0)
  }

  /** Handlers of this session's requests that have not settled. */
  get running(): number {
    return this.#engine.requests.running
  }

  /** Calls of ours without a reply yet. */
  get pendingCalls(): number {
    return this.#engine.calls.open.size
  }

  /** The sequence number of the CALL or PUSH sent last. */
  get lastSeq(): number {
    return this.#engine.lastSeq
  }

  /**
   * Calls `method` of the peer and resolves to the reply's body, undefined when that is empty.
   *
   * @param arg what the codec takes; a Uint8Array is sent as it is, undefined as an empty body
   * @throws StatusError (rejects): the peer's status; 102 when the session is or gets closed, 104 when the message cannot be
   *   sent, 400 when the reply does not decode or breaks its schema, 408 at the deadline, 499 when `signal` fires; TypeError or RangeError
   *   (rejects) that names a bad option
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  call<T>(method: string, arg?: unknown, options?: CallOptions): Promise<T> {
    const { calls } = this.#engine
    return new Promise((resolve, reject) => calls.call(method, arg, options, false, resolve as (value: unknown) => void, reject))
  }

  /** The same, resolving to the reply's body, meta and codec. */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  callReply<T>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>> {
    const { calls } = this.#engine
    return new Promise((resolve, reject) => calls.call(method, arg, options, true, resolve as (value: unknown) => void, reject))
  }

  /**
   * Sends without an answer: resolves when the message is queued, its filters done, and nothing tells whether it arrives. A rejection that
   * nobody looks at is no unhandled rejection.
   *
   * @throws StatusError (rejects): 102 or 104
   */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    return this.#engine.calls.push(method, arg, options)
  }

  /**
   * A push that no hook sees; it may go out before the session runs too (docs/spec/behaviour.md#early-phase).
   *
   * @throws StatusError (rejects): 102 also while the session reconnects, or 104
   */
  rawPush(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    return this.#engine.calls.rawPush(method, arg, options)
  }

  /**
   * Closes gracefully: refuses new work, lets running handlers, open calls and transfer filters finish for at most `timeout` milliseconds
   * (default: the endpoint's `closeTimeout`), then flushes and closes. Resolves when closed; never rejects. A handler may
   * start this for its own session, but not await it. While handlers run calls and pushes to the peer are still sent, for they may need them.
   * A dmicro peer is notified, makes no new calls from then on, and its calls that came too late are refused with 503 and `retryAfter`.
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    return this.#engine.close(duration('timeout', options?.timeout, this.#engine.settings.closeTimeout, 0), 0)
  }

  /**
   * Closes at once: open calls fail with 102, what is queued is lost.
   *
   * @param cause what open calls, the log and listeners of `close` are told; a session with redial that is lost for a cause reconnects. Default: that
   *   this side closed it, for good
   */
  destroy(cause?: string): void {
    this.#engine.destroy(cause)
  }

  async earlySend(type: MessageType, method: string, body: unknown, options: EarlyOptions = {}): Promise<void> {
    const seq = this.#engine.calls.nextSeq()
    await this.#engine.requireEarly().send(type, seq, method, body, options)
  }

  earlyReceive(options: { timeout?: number | undefined; type?: MessageType | undefined } = {}): Promise<EarlyMessage> {
    try {
      const timeout = duration('timeout', options.timeout, this.#engine.settings.limits.frameTimeout, 1)
      return this.#engine.requireEarly().receive(timeout, options.type)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async earlyCall(method: string, arg?: unknown, options: EarlyOptions = {}): Promise<unknown> {
    const seq = this.#engine.calls.nextSeq()
    await this.#engine.requireEarly().send(MessageType.Call, seq, method, arg, options)
    const { type, seq: answered, status, body } = await this.earlyReceive()
    if (type !== MessageType.Reply || answered !== seq) throw badMessage(`expected the reply to ${method}, got another message`)
    if (status !== undefined) throw status
    return body
  }

  async earlyReply(request: EarlyMessage, body: unknown, options: EarlyOptions = {}): Promise<void> {
    await this.#engine.requireEarly().send(MessageType.Reply, request.seq, request.serviceMethod, body, options)
  }
}

/** A session on its first connection. */
export function startSession(endpoint: SessionOwner<SessionEngine>, connection: Connection, how: NewSession): SessionEngine {
  const session = new SessionEngine(endpoint, how)
  session.start(connection, new Inbound(session), new Session(session))
  return session
}
