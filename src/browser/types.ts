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
  meta?: Meta | undefined
  codec?: string | undefined
  forwarded?: boolean | undefined
  arg?: MessageType | undefined
}

/** Options of one call; see `CallOptions` of `dmicro`. */
export interface CallOptions extends PushOptions {
  /** Milliseconds until the call fails with 408. Default: the endpoint's `timeout`. */
  timeout?: number | undefined
  /** Whether the call may be sent again after a resume: the peer runs it once. Default: false. */
  idempotent?: boolean | undefined
  /** Cancels the call, which fails with 499; a dmicro peer is notified. */
  signal?: AbortSignal | undefined
  acceptCodec?: string | undefined
  result?: MessageType | StandardSchemaV1 | undefined
}

export interface TypedCallOptions<Result> extends CallOptions {
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
  times?: number | undefined
  minDelay?: number | undefined
  maxDelay?: number | undefined
  calls?: 'wait' | 'fail' | undefined
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

export interface HeartbeatPingOptions {
  interval?: number | undefined
  call?: boolean | undefined
}

export interface HeartbeatPongOptions {
  maxSilence?: number | undefined
}

/** Limits that a page may set; see `Limits` of `dmicro`. */
export interface Limits {
  maxMessage?: number | undefined
  maxMetaKeys?: number | undefined
  maxDepth?: number | undefined
  maxUnsent?: number | undefined
  maxRunning?: number | undefined
  writeTimeout?: number | undefined
}

/** Options of an endpoint; see `EndpointOptions` of `dmicro`. */
export interface EndpointOptions {
  timeout?: number | undefined
  dialTimeout?: number | undefined
  redial?: boolean | RedialOptions | undefined
  sessionAge?: number | undefined
  handlerTimeout?: number | undefined
  closeTimeout?: number | undefined
  /** 'json' or 'plain'. Default: 'json'. */
  codec?: 'json' | 'plain' | undefined
  /** 'raw' or 'json'. Default: 'raw'. */
  protocol?: 'raw' | 'json' | undefined
  plugins?: readonly Plugin[] | undefined
  hookTimeout?: number | undefined
  limits?: Limits | undefined
  exposeErrors?: boolean | undefined
  extensions?: boolean | undefined
  log?: Logger | false | undefined
}

/** Options of `Endpoint.dial`. */
export interface DialOptions {
  protocol?: 'raw' | 'json' | undefined
  redial?: boolean | RedialOptions | undefined
  /** The sub-protocol to ask for; '' for none. Default: `dmicro.` and the name of the protocol. */
  websocket?: { subprotocol?: string | undefined } | undefined
  timeout?: number | undefined
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
