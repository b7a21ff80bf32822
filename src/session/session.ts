import type { X509Certificate } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { closeTimeout, timeLimit } from '../base/check-options.ts'
import { markOf } from '../base/mark.ts'
import { clientFor } from '../contract/client-for.ts'
import type { Client, ClientOptions, ControllerClient, ServiceOf } from '../contract/types.ts'
import type { SessionSocket } from '../hooks/session-socket.ts'
import type { CtxSession, EarlyMessage, EarlyOptions, EarlySession } from '../hooks/session-views.ts'
import type { CallOptions, PushOptions, TypedCallOptions } from '../message/call-options.ts'
import type { MessageType } from '../message/message.ts'
import type { Reply } from '../message/reply.ts'
import type { UpgradeRequest } from '../protos/websocket/upgrade-request.ts'
import type { Connection } from '../transports/transport.ts'
import { type EarlyReceiveOptions, earlyCall, earlyReceive, earlyReply, earlySend } from './early-messages.ts'
import { SessionEngine } from './engine.ts'
import { Inbound } from './inbound.ts'
import type { SessionEvents } from './session-events.ts'
import type { NewSession, SessionOwner } from './session-owner.ts'
import type { SessionState } from './state.ts'

/** Key of a session's engine, which users do not see. A symbol that every copy of this package finds. */
const engineMark: unique symbol = markOf('engine') as typeof engineMark

/** The engine behind a session. */
export function engineOf(session: Session): SessionEngine {
  return session[engineMark]
}

/**
 * A session with one peer. Either side may call and push (docs/spec/behaviour.md#session,
 * docs/spec/behaviour.md#calls). `Endpoint.dial` and `Endpoint.listen` make sessions.
 *
 * This class is the public face, and has four views: `BaseSession` is always available, `CtxSession` is what hooks see
 * of a session that runs, `EarlySession` what they see before, and this class is all of it. `SessionEngine` has the
 * state and replaces connections, each a `PeerLink`; `OutgoingCalls` sends calls and pushes, `Inbound` handles received
 * messages, and `IncomingRequests` has the requests of the peer.
 */
export class Session extends EventEmitter<SessionEvents> implements CtxSession, EarlySession {
  readonly #engine: SessionEngine
  #data: Map<unknown, unknown> | undefined

  /**
   * Made by `startSession`.
   *
   * @internal
   */
  constructor(engine: SessionEngine) {
    super()
    if (!(engine instanceof SessionEngine)) throw new TypeError('sessions are made by dial and listen')
    this.#engine = engine
  }

  /**
   * The engine behind the session.
   *
   * @internal
   */
  get [engineMark](): SessionEngine {
    return this.#engine
  }

  /**
   * Id of the session, unique in its endpoint. At first it is the remote address on the accepting side and the local
   * address on the dialling side.
   */
  get id(): string {
    return this.#engine.id
  }

  /** Sets the id. Another session of the endpoint that has this id is closed, as in Go. */
  setId(id: string): void {
    this.#engine.setId(id)
  }

  /** State of the session; `SessionState` describes each. */
  get state(): SessionState {
    return this.#engine.state
  }

  /** Whether calls and pushes may be made: the session is in state `open`. Go's `Health`. */
  get isOpen(): boolean {
    return this.#engine.state === 'open'
  }

  /** Name of the protocol, such as 'raw'. */
  get protocol(): string {
    return this.#engine.protocol
  }

  /** Address of this side: `host:port`, or the path of a Unix socket. */
  get localAddress(): string {
    return this.#engine.localAddress
  }

  /** Address of the peer: `host:port`, or the path of a Unix socket (`@` when it has none). */
  get remoteAddress(): string {
    return this.#engine.remoteAddress
  }

  /** The HTTP request of a WebSocket that was accepted: its path, query and headers; undefined for other sessions. */
  get request(): UpgradeRequest | undefined {
    return this.#engine.request
  }

  /** The application's own data about this session, empty at first. Go's `Swap`. */
  get data(): Map<unknown, unknown> {
    this.#data ??= new Map()
    return this.#data
  }

  /**
   * Counter of the peer's activity. It changes when bytes of the peer arrive, and when the peer takes bytes that had to
   * wait for it. NaN while this side does not read the session.
   */
  get activity(): number {
    return this.#engine.activity
  }

  /**
   * Certificate that the peer has shown by TLS; undefined without TLS, and for a client that was not asked
   * (`requestCert` of the listener) or has none. With `rejectUnauthorized: false` it may be invalid: see `authorized`.
   */
  get peerCertificate(): X509Certificate | undefined {
    return this.#engine.link.connection.tls?.peerCertificate
  }

  /** Whether TLS found the peer's certificate valid. */
  get authorized(): boolean {
    return this.#engine.link.connection.tls?.authorized ?? false
  }

  /** Protocol that was agreed upon by TLS (ALPN); undefined for none. */
  get alpn(): string | undefined {
    return this.#engine.link.connection.tls?.alpn
  }

  /** The socket of the session's connection, to inspect and to configure. */
  get socket(): SessionSocket {
    return this.#engine.socket
  }

  /** Maximum lifetime of the session in milliseconds; 0 means unlimited. Default: the endpoint's `sessionAge`. */
  get age(): number {
    return this.#engine.age
  }

  /**
   * Closes the session gracefully this many milliseconds from now; 0 means never. A session with redial reconnects
   * then, and may live as long again (docs/spec/behaviour.md#age).
   *
   * @param ms 0 to 2^31 - 1, or Infinity, which is 0
   * @throws RangeError for another value
   */
  setAge(ms: number): void {
    this.#engine.setAge(timeLimit('age', ms ?? Number.NaN, 0))
  }

  /**
   * Milliseconds that a handler of the peer's requests may run; 0 means no limit. Default: the endpoint's
   * `handlerTimeout`.
   */
  get handlerTimeout(): number {
    return this.#engine.handlerTimeout
  }

  /**
   * Sets how many milliseconds a handler of the peer's requests may run; 0 means no limit. Applies to requests received
   * from now on. Go's `SetContextAge`.
   *
   * @param ms 0 to 2^31 - 1, or Infinity, which is 0
   * @throws RangeError for another value
   */
  setHandlerTimeout(ms: number): void {
    this.#engine.handlerTimeout = timeLimit('handlerTimeout', ms ?? Number.NaN, 0)
  }

  /** Number of handlers of the peer's requests that have not settled. */
  get running(): number {
    return this.#engine.requests.running
  }

  /** Number of our calls without a reply yet. */
  get pendingCalls(): number {
    return this.#engine.calls.open.size
  }

  /** Sequence number of the CALL or PUSH that this side sent last. */
  get lastSeq(): number {
    return this.#engine.lastSeq
  }

  /**
   * Calls `method` of the peer and resolves to the reply's body, undefined when that is empty.
   *
   * @param method service method, such as `/math/add`
   * @param arg what the codec takes; a Uint8Array is sent as it is, undefined as an empty body
   * @throws StatusError (rejects) the peer's status; 102 when the session is closed or loses its connection, 104 when
   *   the message cannot be sent, 400 when the reply cannot be decoded or does not match its schema, 408 at the
   *   deadline, 499 when `signal` fires
   * @throws TypeError or RangeError (rejects) that names a bad option
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  call<T>(method: string, arg?: unknown, options?: CallOptions): Promise<T> {
    const { calls } = this.#engine
    return new Promise((resolve, reject) => calls.call(method, arg, options, false, resolve as (value: unknown) => void, reject))
  }

  /**
   * Calls `method` of the peer as `call` does, and resolves to the reply's body, meta and codec.
   *
   * @throws StatusError, TypeError or RangeError (rejects) as `call`
   */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  callReply<T>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>> {
    const { calls } = this.#engine
    return new Promise((resolve, reject) => calls.call(method, arg, options, true, resolve as (value: unknown) => void, reject))
  }

  /**
   * Sends a message without an answer. Resolves when it is queued and its filters are done; whether it arrives stays
   * unknown. A rejection that is not handled causes no `unhandledRejection`.
   *
   * @param method service method, such as `/log/add`
   * @param arg as for `call`
   * @throws StatusError (rejects) 102 when the session is closed or loses its connection, 104 when the message cannot
   *   be sent, 408 when no connection is made in time while it reconnects, 503 while the peer is closing
   * @throws TypeError (rejects) that names a bad option
   */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    return this.#engine.calls.push(method, arg, options)
  }

  /**
   * The peer's methods as functions: those of a service that `defineService` of `dmicro/contract` made, or those of a
   * class whose object the peer has registered as a controller under `prefix`: `client<MathController>('/math')`.
   *
   * @throws TypeError for what is neither, and for bad options
   */
  client<Of>(service: ServiceOf<Of>, options?: ClientOptions): Client<Of>
  client<Controller extends object>(prefix: string): ControllerClient<Controller>
  client(of: ServiceOf<unknown> | string, options?: ClientOptions): unknown {
    return clientFor(this, this.#engine.settings.mapper, of, options)
  }

  /**
   * Sends a push that no hook sees, also before the session runs (docs/spec/behaviour.md#early-phase).
   *
   * @throws StatusError (rejects) 102 when the session has no connection, also while it reconnects; 104 when the
   *   message cannot be sent
   */
  rawPush(method: string, arg?: unknown, options?: PushOptions): Promise<void> {
    return this.#engine.calls.rawPush(method, arg, options)
  }

  /**
   * Closes the session gracefully: refuses new requests, waits for running handlers, open calls and transfer filters,
   * then flushes and closes. Resolves when closed.
   *
   * Running handlers may still call and push to the peer. A handler may close its own session, but must not await it,
   * because the close waits for the handler. A dmicro peer is notified and makes no new calls; those it sent before get
   * 503 with `retryAfter`.
   *
   * @param options.timeout milliseconds to wait; default: the endpoint's `closeTimeout`
   * @throws RangeError for a bad timeout; TypeError for other options
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    return this.#engine.close(closeTimeout(options, this.#engine.settings.closeTimeout), 0)
  }

  /**
   * Closes the session at once: open calls fail with 102, and queued messages are lost.
   *
   * @param cause text for open calls, the log and listeners of `close`. A session with redial that is destroyed with
   *   a cause reconnects. Default: this side closed the session for good.
   */
  destroy(cause?: string): void {
    this.#engine.destroy(cause)
  }

  earlySend(type: MessageType, method: string, body: unknown, options?: EarlyOptions): Promise<void> {
    return earlySend(this.#engine, type, method, body, options)
  }

  earlyReceive(options?: EarlyReceiveOptions): Promise<EarlyMessage> {
    return earlyReceive(this.#engine, options)
  }

  earlyCall(method: string, arg?: unknown, options?: EarlyOptions): Promise<unknown> {
    return earlyCall(this.#engine, method, arg, options)
  }

  /**
   * Sends the REPLY to a CALL that `earlyReceive` returned.
   *
   * @throws StatusError (rejects) 1 once the session runs, 102 when the connection is lost
   */
  earlyReply(request: EarlyMessage, body: unknown, options?: EarlyOptions): Promise<void> {
    return earlyReply(this.#engine, request, body, options)
  }
}

/** Makes a session on its first connection. */
export function startSession(endpoint: SessionOwner<SessionEngine>, connection: Connection, how: NewSession): SessionEngine {
  const session = new SessionEngine(endpoint, how)
  session.start(connection, new Inbound(session), new Session(session))
  return session
}
