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
  body: T
  meta: Meta
  codec: number
}

/** Pushes that were lost with a connection; see `Gap` of `dmicro`. */
export interface Gap {
  readonly sent: number
  readonly received: number | undefined
}

export type SessionState = 'preparing' | 'open' | 'draining' | 'redialing' | 'disconnected' | 'closing' | 'closed'

/** Events of a session, with the arguments of their listeners; see `SessionEvents` of `dmicro`. */
export interface SessionEvents {
  draining: []
  redialing: [reason: StatusError]
  redialed: []
  gap: [gap: Gap]
  close: [reason: StatusError | undefined]
}

interface Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  on<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
  once<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
  off<Name extends keyof Events>(event: Name, listener: (...args: Events[Name]) => void): this
}

/** One peer: calls and pushes in both directions, over connections that come and go. */
export interface Session extends Emitter<SessionEvents> {
  readonly id: string
  setId(id: string): void
  readonly state: SessionState
  readonly isOpen: boolean
  readonly protocol: string
  readonly remoteAddress: string
  /** Values of the application. */
  readonly data: Map<unknown, unknown>
  readonly running: number
  readonly pendingCalls: number
  call<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<T>
  call<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<T>
  callReply<T>(method: string, arg: unknown, options: TypedCallOptions<T>): Promise<Reply<T>>
  callReply<T = unknown>(method: string, arg?: unknown, options?: CallOptions): Promise<Reply<T>>
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
  readonly session: Session
  readonly serviceMethod: string
  readonly seq: number
  readonly meta: Meta
  readonly codec: string
  readonly signal: AbortSignal
  readonly deadline: number | undefined
}

/** The context of a received CALL, for its handler, which can also set up the reply with it. */
export interface CallContext extends PushContext {
  setMeta(key: string, value: string): void
  setCodec(codec: string | number): void
}

/** Handles a CALL: returns the result or a promise of it. */
export type CallHandler<Arg, Result> = (arg: Arg, ctx: CallContext) => Result | Promise<Result>
/** Handles a PUSH. What it throws is logged. */
export type PushHandler<Arg> = (arg: Arg, ctx: PushContext) => unknown

export type RouteOptions<Arg = never, Result = unknown> = RouteTypes<Arg, Result>

/** Routes that share a prefix. */
export interface RouteGroup {
  routeCall<Arg, Result = unknown>(name: string, handler: CallHandler<Arg, Result>, options?: RouteOptions<Arg, Result>): string[]
  routePush<Arg>(name: string, handler: PushHandler<Arg>, options?: Pick<RouteOptions<Arg>, 'arg'>): string[]
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

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>
export type Logger = Record<LogLevel, (text: string, fields?: LogFields) => void>

/** A plugin of a page: the hooks of an endpoint's life and of dialling. Hooks of messages are refused. */
export interface Plugin {
  readonly name: string
  afterNewEndpoint?(endpoint: Endpoint): unknown
  beforeCloseEndpoint?(endpoint: Endpoint): unknown
  afterCloseEndpoint?(endpoint: Endpoint): unknown
  beforeDial?(url: string, isRedial: boolean): unknown
  afterDial?(session: Session, isRedial: boolean): unknown
  afterDialFail?(url: string, error: Error, isRedial: boolean): unknown
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
  setUnknownCall(handler: CallHandler<Uint8Array, unknown>): void
  setUnknownPush(handler: PushHandler<Uint8Array>): void
  session(id: string): Session | undefined
  sessions(): IterableIterator<Session>
  readonly sessionCount: number
  close(options?: { timeout?: number | undefined }): Promise<void>
}

export type EndpointInstance = Endpoint
export type EndpointConstructor = new (options?: EndpointOptions) => Endpoint
