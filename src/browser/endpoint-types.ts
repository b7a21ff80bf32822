// The types of an endpoint in pages, and of its options.
import type { Implementation, ServeOptions, ServiceOf } from '../contract/types.ts'
import type { CallContext, CallHandler, PushContext, PushHandler, RouteOptions, Session } from './types.ts'

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
