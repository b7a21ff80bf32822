// The types of `dmicro/browser`. They name what is in pages of the types of `dmicro`, and nothing of Node.js, so that a
// project for pages compiles without Node's types.
import type { StatusError } from '../base/errors/status.ts'
import type { Client, ClientOptions, ControllerClient, Implementation, ServeOptions, ServiceOf } from '../contract/types.ts'
import type { MessageType, RouteTypes } from '../message/message-type.ts'
import type { StandardSchemaV1 } from '../message/standard-schema.ts'

export type { MessageType, RouteTypes, StandardSchemaV1 }

/** Meta of a message: string values by key. */
export type Meta = Readonly<Record<string, string>>

/** Options of one push; see `PushOptions` of `dmicro`. */
export interface PushOptions {
  /** String values that are sent beside the body. Default: none. */
  meta?: Meta | undefined
  /** Name of the body's codec. Default: the endpoint's `codec`. */
  codec?: string | undefined
  /** Whether the method was received from a peer and is passed on. Default: false. */
  forwarded?: boolean | undefined
  /** Type of the value sent, for codecs that need one. Default: none. */
  arg?: MessageType | undefined
}

/** Options of one call; see `CallOptions` of `dmicro`. */
export interface CallOptions extends PushOptions {
  /** Milliseconds until the call fails with 408. Default: the endpoint's `timeout`. */
  timeout?: number | undefined
  /** Whether the call may be sent again after a resume: the peer runs it once. Default: false. */
  idempotent?: boolean | undefined
  /** Cancels the call, which fails with 499; a dmicro peer is notified. Default: none. */
  signal?: AbortSignal | undefined
  /** Name of the codec that the reply should have. Default: the choice of the callee. */
  acceptCodec?: string | undefined
  /** Type or schema of the reply's body, or `bytes`. A reply that does not match fails with 400. Default: none. */
  result?: MessageType | StandardSchemaV1 | undefined
}

/** Options of one call whose reply has a type of its own. */
export interface TypedCallOptions<Result> extends CallOptions {
  /** Type or schema of the reply's body, or `bytes`. A reply that does not match fails with 400. */
  result: MessageType<Result> | StandardSchemaV1<unknown, Result>
}

/** A reply with what was sent beside its body. */
export interface Reply<T> {
  /** The decoded body; undefined for an empty one. */
  body: T
  /** Meta of the reply; empty when there is none. */
  meta: Meta
  /** Id of the body's codec; 0 when the peer named none. */
  codec: number
}

/** Pushes that were lost with a connection; see `Gap` of `dmicro`. */
export interface Gap {
  /** Number of PUSHes sent by this side that the peer may not have received. */
  readonly sent: number
  /**
   * Number of the peer's PUSHes that this side did not receive; undefined when the peer does not know the session any
   * more and the number is unknown, perhaps 0.
   */
  readonly received: number | undefined
}

/**
 * State of a session.
 *
 * - `preparing`: hooks about the new connection run.
 * - `open`: calls and pushes may be made in both directions.
 * - `draining`: the peer is closing, or this side will reconnect. Nothing new is sent, and what runs finishes.
 * - `redialing`: the connection is lost, and this side reconnects.
 * - `disconnected`: only sessions that were accepted have it, so none of a page.
 * - `closing`: this side closes, and what runs finishes.
 * - `closed`: the session is closed for good.
 */
export type SessionState = 'preparing' | 'open' | 'draining' | 'redialing' | 'disconnected' | 'closing' | 'closed'

/** Events of a session, with the arguments of their listeners; see `SessionEvents` of `dmicro`. */
export interface SessionEvents {
  /**
   * The session makes no new calls on its connection: the peer announced that it will close, or a session with redial
   * reached its age. `redialing` or `close` follows.
   */
  draining: []
  /**
   * The connection is lost, and this side reconnects. Open calls have failed with 102, except those that are retried
   * after a resume.
   */
  redialing: [reason: StatusError]
  /** This side has reconnected: the session runs again. */
  redialed: []
  /** Pushes were lost with a connection, or may have been. */
  gap: [gap: Gap]
  /**
   * The session is closed for good. The error is the cause; undefined when this side closed the session without one.
   */
  close: [reason: StatusError | undefined]
}

interface Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  /** Calls `listener` at each event of the name. */
  on<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
  /** Calls `listener` at the next event of the name. */
  once<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
  /** Removes a listener. */
  off<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
}

/** One peer: calls and pushes in both directions, over connections that come and go. */
export interface Session extends Emitter<SessionEvents> {
  /** Id of the session, unique in its endpoint: at first `@`, or `@#` and a number. */
  readonly id: string
  /** Sets the id. Another session of the endpoint that has this id is closed. */
  setId(id: string): void
  /** State of the session; `SessionState` describes each. */
  readonly state: SessionState
  /** Whether calls and pushes may be made: the session is in state `open`. */
  readonly isOpen: boolean
  /** Name of the protocol, such as 'raw'. */
  readonly protocol: string
  /** Address of the peer: `host:port`. */
  readonly remoteAddress: string
  /** Values of the application. */
  readonly data: Map<unknown, unknown>
  /** Number of handlers of the peer's requests that have not settled. */
  readonly running: number
  /** Number of our calls without a reply yet. */
  readonly pendingCalls: number
  /**
   * Calls `method` of the peer and resolves to the reply's body, undefined when that is empty.
   *
   * @throws StatusError (rejects) the peer's status; 102 when the session is closed or loses its connection, 104 when
   *   the message cannot be sent, 400 when the reply cannot be decoded or does not match its schema, 408 at the
   *   deadline, 499 when `signal` fires
   * @throws TypeError or RangeError (rejects) that names a bad option
   */
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  /**
   * Calls `method` of the peer as `call` does, and resolves to the reply's body, meta and codec.
   *
   * @throws StatusError, TypeError or RangeError (rejects) as `call`
   */
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
  /**
   * Sends a message without an answer. Resolves when it is queued; whether it arrives stays unknown. A rejection that
   * is not handled causes no `unhandledrejection`.
   *
   * @throws StatusError (rejects) 102 when the session is closed or loses its connection, 104 when the message cannot
   *   be sent, 408 when no connection is made in time while it reconnects, 503 while the peer is closing
   * @throws TypeError (rejects) that names a bad option
   */
  push(method: string, arg?: unknown, options?: PushOptions): Promise<void>
  /** The peer's methods as functions: see `client` of `dmicro`. */
  client<Of>(service: ServiceOf<Of>, options?: ClientOptions): Client<Of, CallOptions, PushOptions>
  client<Controller extends object>(prefix: string): ControllerClient<Controller, CallOptions>
  /** Closes gracefully: what runs finishes first, within `timeout` milliseconds. */
  close(options?: { timeout?: number | undefined }): Promise<void>
  /** Closes at once. */
  destroy(cause?: string): void
}

/** The context of a received PUSH, for its handler. */
export interface PushContext {
  /** The session that received the message. */
  readonly session: Session
  /** Service method, such as `/log/add`. */
  readonly serviceMethod: string
  /** Sequence number that the sender gave the message. */
  readonly seq: number
  /** Meta of the message: string values by key. */
  readonly meta: Meta
  /** Name of the body's codec; '' when the message named none. */
  readonly codec: string
  /**
   * Fires when the caller cancels the call, at the caller's deadline, when the handler exceeds the endpoint's
   * `handlerTimeout`, and when the connection is lost. The reason is a StatusError 499, 408 or 102.
   */
  readonly signal: AbortSignal
  /**
   * The caller's deadline, in milliseconds of `performance.now()`. Calls that the handler makes do not inherit it.
   * Undefined when neither the call nor its endpoint set a timeout, the peer is a Go peer, or the handler has settled.
   */
  readonly deadline: number | undefined
}

/** The context of a received CALL, for its handler, which can also set up the reply with it. */
export interface CallContext extends PushContext {
  /**
   * Sets one entry of the reply's meta, which is also sent with errors.
   *
   * @throws TypeError when key or value is no string
   */
  setMeta(key: string, value: string): void
  /**
   * Sets the reply's codec by name or id, whatever the caller asked for.
   *
   * @throws TypeError for an unknown codec
   */
  setCodec(codec: string | number): void
}

/** Handles a CALL: returns the result or a promise of it. */
export type CallHandler<Arg, Result> = (arg: Arg, ctx: CallContext) => Result | Promise<Result>
/** Handles a PUSH. What it throws is logged. */
export type PushHandler<Arg> = (arg: Arg, ctx: PushContext) => unknown

/** Types or schemas of a route's bodies. */
export type RouteOptions<Arg = never, Result = unknown> = RouteTypes<Arg, Result>

/** Routes that share a prefix. */
export interface RouteGroup {
  /**
   * Registers the handler of CALLs to a name, with the group's prefix before it.
   *
   * @returns the service methods registered
   * @throws Error when a route has the name
   * @throws TypeError for a bad name, handler, type or option
   */
  routeCall<Arg, Result = unknown>(name: string, handler: CallHandler<Arg, Result>, options?: RouteOptions<Arg, Result>): string[]
  /**
   * Registers the handler of PUSHes to a name, as `routeCall` does.
   *
   * @returns the service methods registered
   * @throws Error when a route has the name
   * @throws TypeError for a bad name, handler, type or option
   */
  routePush<Arg>(name: string, handler: PushHandler<Arg>, options?: Pick<RouteOptions<Arg>, 'arg'>): string[]
  /**
   * Makes a group below this one.
   *
   * @throws TypeError when the prefix is no string
   */
  group(prefix: string): RouteGroup
}

/** How a session reconnects; see `RedialOptions` of `dmicro`. */
export interface RedialOptions {
  /** Maximum number of attempts after one loss, at least 1. Default: Infinity. */
  times?: number | undefined
  /**
   * Upper bound in milliseconds of the random delay before the first attempt. Default: 100, more where many sessions
   * wait for one server.
   */
  minDelay?: number | undefined
  /** Upper bound in milliseconds of the delay between two attempts, where doubling ends. Default: 1,950. */
  maxDelay?: number | undefined
  /** Whether calls and pushes 'wait' while the session reconnects, or 'fail' with 102. Default: 'wait'. */
  calls?: 'wait' | 'fail' | undefined
  /** Whether a reconnect resumes the same session where the peer still has it. Default: true. */
  resume?: boolean | undefined
}

/** Severities, the least severe first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
/** Structured values of a log line by name. */
export type LogFields = Readonly<Record<string, unknown>>
/**
 * Receives warnings and errors that no caller gets as a rejection: a method for each severity. Fields hold
 * peer-supplied text, so a logger must escape it.
 */
export type Logger = Record<LogLevel, (text: string, fields?: LogFields) => void>

/** A plugin of a page: the hooks of an endpoint's life and of dialling. Hooks of messages are refused. */
export interface Plugin {
  /** Name of the plugin, unique in its endpoint. */
  readonly name: string
  /**
   * Last in the constructor of the endpoint. May register routes and handlers for unknown names. A throw is thrown by
   * the constructor; a rejection makes the next `dial` reject.
   */
  afterNewEndpoint?(endpoint: Endpoint): unknown
  /** When `Endpoint.close` begins. Changes nothing; a failure is logged. */
  beforeCloseEndpoint?(endpoint: Endpoint): unknown
  /** When all sessions of a closing endpoint are closed. Changes nothing; a failure is logged. */
  afterCloseEndpoint?(endpoint: Endpoint): unknown
  /**
   * Before the first connection and before each reconnect (`isRedial`). Changes nothing. A failure makes `dial` reject,
   * with 105 unless it is a `StatusError`; a failure before a reconnect is logged.
   */
  beforeDial?(url: string, isRedial: boolean): unknown
  /**
   * When a connection is made and its session does not run yet; also after each reconnect (`isRedial`). May set the id
   * and `data`. A failure closes the connection, and `dial` rejects, with 105 unless it is a `StatusError`; a reconnect
   * counts as a failed attempt.
   */
  afterDial?(session: Session, isRedial: boolean): unknown
  /**
   * When `dial` fails after `beforeDial`, or when the last attempt to reconnect failed (`isRedial`). Changes nothing; a
   * failure is logged.
   */
  afterDialFail?(url: string, error: Error, isRedial: boolean): unknown
  /** When a session is closed for good. Changes nothing; a failure is logged. */
  afterDisconnect?(session: Session): unknown
}

/** Options of `heartbeatPing`. */
export interface HeartbeatPingOptions {
  /** Milliseconds without a message after which a heartbeat is sent. Default: 30,000. */
  interval?: number | undefined
  /** Whether heartbeats are CALLs, whose missing replies reveal a dead peer, or PUSHes. Default: true. */
  call?: boolean | undefined
}

/** Options of `heartbeatPong`. */
export interface HeartbeatPongOptions {
  /** Milliseconds of silence after which a session that has sent a rate is closed. Default: unlimited. */
  maxSilence?: number | undefined
}

/** Limits that a page may set; see `Limits` of `dmicro`. */
export interface Limits {
  /** Most bytes of a message. Default: 16 MiB. */
  maxMessage?: number | undefined
  /** Most keys in one message's meta. Default: 256. */
  maxMetaKeys?: number | undefined
  /** Most levels of nesting in a body or in meta. Default: 128. */
  maxDepth?: number | undefined
  /** Most bytes that wait to be sent; beyond them calls and pushes fail with 104. Default: 16 MiB. */
  maxUnsent?: number | undefined
  /** Most handlers running for one session; a further CALL is answered with 429. Default: 10,000. */
  maxRunning?: number | undefined
  /** Milliseconds after which a peer that accepts no queued byte loses its session. Default: 30,000. */
  writeTimeout?: number | undefined
}

/** Options of an endpoint; see `EndpointOptions` of `dmicro`. */
export interface EndpointOptions {
  /** Deadline in milliseconds of a call that sets none; 0 or Infinity means none. Default: 30,000. */
  timeout?: number | undefined
  /** Milliseconds that `dial` may take. Default: 10,000. */
  dialTimeout?: number | undefined
  /** Whether sessions reconnect when they lose their connection, and how. Default: false. */
  redial?: boolean | RedialOptions | undefined
  /** Maximum lifetime of a session in milliseconds; 0 means unlimited. Default: 0. */
  sessionAge?: number | undefined
  /** Milliseconds that an asynchronous handler may run; 0 means no limit. Default: 0. */
  handlerTimeout?: number | undefined
  /** Milliseconds that a graceful close waits for running handlers and open calls. Default: 5,000. */
  closeTimeout?: number | undefined
  /** Codec of calls and pushes that name none. Default: 'json'. */
  codec?: 'json' | 'plain' | undefined
  /** Protocol of dials that name none. Default: 'raw'. */
  protocol?: 'raw' | 'json' | undefined
  /** Plugins, in the order they run. Default: none. */
  plugins?: readonly Plugin[] | undefined
  /** Milliseconds that a plugin's hook may take to settle; after that it has failed with 408. Default: 10,000. */
  hookTimeout?: number | undefined
  /** Overrides of single limits. Default: none. */
  limits?: Limits | undefined
  /** Whether callers get the text of errors that are no StatusError, instead of a bare 500. Default: false. */
  exposeErrors?: boolean | undefined
  /** Whether dmicro peers are notified of deadlines, cancellation and the end of a session. Default: true. */
  extensions?: boolean | undefined
  /** Logger for what happens outside of calls; false for none. Default: warnings and errors, on the console. */
  log?: Logger | false | undefined
}

/** Options of `Endpoint.dial`. */
export interface DialOptions {
  /** Protocol that the peer speaks. Default: the endpoint's `protocol`. */
  protocol?: 'raw' | 'json' | undefined
  /** Whether the session reconnects, and how. Default: the endpoint's `redial`. */
  redial?: boolean | RedialOptions | undefined
  /** The sub-protocol to ask for; '' for none. Default: `dmicro.` and the name of the protocol. */
  websocket?: { subprotocol?: string | undefined } | undefined
  /** Milliseconds until dialling times out. Default: the endpoint's `dialTimeout`. */
  timeout?: number | undefined
  /** Cancels dialling: `dial` rejects with 499 when it fires. Default: none. */
  signal?: AbortSignal | undefined
}

/** Dials, and routes what peers call and push. */
export interface Endpoint extends RouteGroup {
  /** Connects to `ws://…` or `wss://…`. Rejects with StatusError 105 when that fails. */
  dial(url: string, options?: DialOptions): Promise<Session>
  /** Registers what serves a service: see `serve` of `dmicro`. */
  serve<Of>(
    service: ServiceOf<Of>,
    implementation: Implementation<NoInfer<Of>, CallContext, PushContext>,
    options?: ServeOptions<Plugin>,
  ): string[]
  /**
   * Sets the handler of CALLs without a route, which gets the body as bytes, not decoded. Without one such calls fail
   * with 404.
   *
   * @throws TypeError for a bad handler
   */
  setUnknownCall(handler: CallHandler<Uint8Array, unknown>): void
  /**
   * Sets the handler of PUSHes without a route, which gets the body as bytes, not decoded. Without one such pushes are
   * logged and dropped.
   *
   * @throws TypeError for a bad handler
   */
  setUnknownPush(handler: PushHandler<Uint8Array>): void
  /** Finds the session with this id; undefined when there is none, or it is closed. */
  session(id: string): Session | undefined
  /** Iterates over the sessions that are not closed, in the order they were made. */
  sessions(): IterableIterator<Session>
  /** Number of sessions that are not closed. */
  readonly sessionCount: number
  /**
   * Closes gracefully: stops dialling, then closes all sessions as `Session.close` does. Resolves when all is closed.
   *
   * @param options.timeout milliseconds to wait for running handlers and open calls; default: the endpoint's
   *   `closeTimeout`
   * @throws RangeError for a bad timeout
   */
  close(options?: { timeout?: number | undefined }): Promise<void>
}

export type EndpointInstance = Endpoint
export type EndpointConstructor = new (options?: EndpointOptions) => Endpoint
