import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { closeTimeout, requireAll, requireObject } from '../base/check-options.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { bundled } from '../base/here.ts'
import type { Logger } from '../base/log.ts'
import type { Clock } from '../base/time/clock.ts'
import { wheelOf } from '../base/time/timer-wheel.ts'
import { WarningThrottle } from '../base/warning-throttle.ts'
import { prepareCodecs } from '../codecs/built-in.ts'
import type { Implementation, ServeOptions, ServiceOf } from '../contract/types.ts'
import { type Plugin, PluginContainer } from '../hooks/plugin.ts'
import { type EndpointLoad, type EndpointStats, newStats } from '../overload/endpoint-stats.ts'
import { prepareProtocol } from '../protos/prepare.ts'
import { LifeHookRunner } from '../session/life-hooks.ts'
import { type EndpointOptions, readOptions, type Settings } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import { parseAddress } from '../transports/address.ts'
import { chooseTransport, type TransportInfo } from '../transports/choose.ts'
import { requireSupported } from '../transports/socket-options.ts'
import type { Transport } from '../transports/transport.ts'
import { Acceptor } from './acceptor.ts'
import { type DialOptions, type Listener, type ListenOptions, readDialOptions, type UpgradeOptions } from './connect-options.ts'
import { ConstructionHooks } from './construction-hooks.ts'
import type { CallContext, PushContext } from './context.ts'
import { Dialer } from './dialer.ts'
import { Dispatcher } from './dispatcher.ts'
import { Listeners } from './listeners.ts'
import { type AnyResult, type CallHandler, type Controller, type PushHandler, RouteGroup, type RouteOptions, Router } from './router.ts'
import { SessionRegistry } from './session-registry.ts'
import { settingsMark } from './settings-of.ts'

/** Events of an endpoint, with the arguments of their listeners. */
export interface EndpointEvents {
  /** A peer connected to a listener of this endpoint, and its session runs. */
  session: [session: Session]
}

/**
 * Client and server in one: listens, dials, and routes what the peers of its sessions call and push
 * (docs/spec/behaviour.md#endpoint).
 *
 * @example
 * const server = new Endpoint()
 * server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
 * const { url } = await server.listen('tcp://127.0.0.1:0')
 * const session = await new Endpoint().dial(url)
 * await session.call('/math/add', [1, 2, 3])
 */
export class Endpoint extends EventEmitter<EndpointEvents> {
  /** The transport in use, and why it is the JavaScript one if it is. */
  readonly transport: TransportInfo
  /** Counters since the endpoint was made. */
  readonly stats: EndpointStats = newStats()
  /** The plugins: those of `options.plugins`, and those added later. */
  readonly plugins: PluginContainer
  readonly #settings: Settings
  readonly #transport: Transport
  readonly #router: Router
  readonly #routes: RouteGroup
  readonly #dispatcher: Dispatcher
  readonly #sessions: SessionRegistry
  readonly #acceptor: Acceptor
  readonly #dialer: Dialer
  readonly #lifeHooks: LifeHookRunner
  readonly #listeners: Listeners
  #closed: Promise<void> | undefined
  /** Promises of hooks about making the endpoint and its routes. */
  readonly #constructionHooks = new ConstructionHooks()

  /**
   * Makes an endpoint, which neither listens nor dials yet.
   *
   * @param options see `EndpointOptions`; all have defaults
   * @throws TypeError or RangeError for bad options
   * @throws Error when `transport: 'native'` cannot run here
   * @throws StatusError 1 when the transport does not support what `socket` asks for
   */
  constructor(options: EndpointOptions = {}) {
    super()
    requireObject('options', options)
    requireAll('plugins', options.plugins)
    this.plugins = new PluginContainer(options.plugins)
    this.#constructionHooks.run(this.plugins.hooks.beforeNewEndpoint, options, this.plugins)
    const settings = readOptions(options)
    this.#settings = settings
    const chosen = chooseTransport(settings.transport, settings.ioThreads, settings.log)
    this.transport = chosen.info
    this.#transport = chosen.transport
    requireSupported(settings.socket, chosen.info.kind)
    this.#transport.busyPoll?.(this, settings.busyPoll)
    this.#router = new Router(settings.mapper, this.plugins, (result) => this.#constructionHooks.add(result))
    this.#routes = new RouteGroup(this.#router)
    const { stats } = this
    const { hooks } = this.plugins
    const wheel = wheelOf(settings.clock)
    const lifeHooks = new LifeHookRunner(settings)
    const warnings = new WarningThrottle(settings.log, settings.clock.now)
    const dispatcher = new Dispatcher(settings, this.#router, wheel, stats, this.#transport)
    const sessions = new SessionRegistry({ settings, hooks, wheel, stats, router: this.#router, dispatcher, lifeHooks, warnings })
    const onSession = (session: Session): void => void this.emit('session', session)
    const acceptor = new Acceptor({ settings, stats, sessions, lifeHooks, warnings, onSession })
    const dialer = new Dialer(sessions, this.#transport, stats, lifeHooks)
    sessions.listener = {
      onLost: (session) => dialer.lost(session),
      onClosed: (session) => {
        dialer.forget(session)
        acceptor.forget(session)
      },
    }
    this.#lifeHooks = lifeHooks
    this.#dispatcher = dispatcher
    this.#sessions = sessions
    this.#acceptor = acceptor
    this.#listeners = new Listeners({
      settings,
      transport: this.#transport,
      kind: chosen.info.kind,
      acceptor,
      lifeHooks,
      plugins: this.plugins,
      requireOpen: () => this.#requireOpen(),
      ready: () => this.#ready(),
      hear: (ms) => acceptor.hear(ms),
      drain: (timeout) => this.close({ timeout }),
      load: () => ({ sessions: sessions.size, calls: dispatcher.running }),
    })
    this.#dialer = dialer
    this.#constructionHooks.run(hooks.afterNewEndpoint, this)
  }

  /** @internal */
  get [settingsMark](): Settings {
    return this.#settings
  }

  /** How busy the endpoint is, as overload protection measures it; undefined without the option `overload`. */
  get load(): EndpointLoad | undefined {
    return this.#dispatcher.load
  }

  /** Logger of the endpoint, for plugins too. Its methods never throw. */
  get log(): Logger {
    return this.#settings.log
  }

  /** Clock of the endpoint: real time, unless its transport has another. */
  get clock(): Clock {
    return this.#settings.clock
  }

  /**
   * Waits for the hooks about making the endpoint.
   *
   * @throws (rejects) what a hook failed with, 408 when it does not settle in time
   */
  async #ready(): Promise<void> {
    const { hookTimeout } = this.#settings
    if (bundled) await prepareCodecs()
    await this.#constructionHooks.settled(hookTimeout)
  }

  /**
   * Registers handlers of CALLs: a name and a function, a named function, or a controller. `RouteGroup.routeCall` has
   * the details.
   *
   * @returns the names registered
   * @throws Error when a route has the name
   * @throws TypeError for a bad name, handler or option
   */
  routeCall<Arg, Result extends AnyResult = unknown>(
    name: string,
    handler: CallHandler<Arg, NoInfer<Result>>,
    options?: RouteOptions<Arg, Result>,
  ): string[]
  routeCall<Arg, Result extends AnyResult = unknown>(
    handler: CallHandler<Arg, NoInfer<Result>>,
    options?: RouteOptions<Arg, Result>,
  ): string[]
  routeCall(controller: Controller, options?: Pick<RouteOptions, 'plugins' | 'safe'>): string[]
  routeCall(...args: unknown[]): string[] {
    return (this.#routes.routeCall as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /**
   * Registers handlers of PUSHes, in the same three forms as `routeCall`.
   *
   * @returns the names registered
   * @throws Error when a route has the name
   * @throws TypeError for a bad name, handler or option
   */
  routePush<Arg>(name: string, handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result' | 'safe'>): string[]
  routePush<Arg>(handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result' | 'safe'>): string[]
  routePush(controller: Controller, options?: Pick<RouteOptions, 'plugins'>): string[]
  routePush(...args: unknown[]): string[] {
    return (this.#routes.routePush as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /**
   * Registers what serves a service that `defineService` of `dmicro/contract` made: a function for each of its methods.
   *
   * @returns the names registered
   * @throws TypeError for no service, that names what the implementation lacks, and for bad options
   * @throws Error when a route has one of the names
   */
  serve<Of>(
    service: ServiceOf<Of>,
    implementation: Implementation<NoInfer<Of>, CallContext, PushContext>,
    options?: ServeOptions<Plugin>,
  ): string[] {
    if (typeof service?.serveOn !== 'function')
      throw new TypeError('serve needs a service of defineService; register a controller with routeCall')
    return service.serveOn(this, implementation, options)
  }

  /**
   * Makes a group, whose routes share a prefix and plugins.
   *
   * @throws TypeError when the prefix is no string
   */
  group(prefix: string, ...plugins: Plugin[]): RouteGroup {
    return this.#routes.group(prefix, ...plugins)
  }

  /**
   * Sets the handler of CALLs without a route, which gets the body as bytes, not decoded. Without one such calls fail
   * with 404.
   *
   * @param options.safe as `RouteOptions.safe`; default false
   * @throws TypeError for a bad handler or option
   */
  setUnknownCall(handler: CallHandler<Uint8Array, unknown>, options?: Pick<RouteOptions, 'safe'>): void {
    this.#router.setUnknownCall(handler, options)
  }

  /**
   * Sets the handler of PUSHes without a route, which gets the body as bytes, not decoded. Without one such pushes are
   * logged and dropped.
   *
   * @throws TypeError for a bad handler
   */
  setUnknownPush(handler: PushHandler<Uint8Array>): void {
    this.#router.setUnknownPush(handler)
  }

  /**
   * Listens on `tcp://host:port` or `unix:///path`; with port 0 the system chooses one.
   *
   * @throws TypeError (rejects) for a bad URL or option, an unknown protocol, or several protocols of which one has
   *   no `match`
   * @throws StatusError (rejects) 102 when the endpoint is closed; what a plugin's hook fails with
   * @throws Error (rejects) of the system when it cannot listen (`code` 'EADDRINUSE' …), or of a protocol that cannot
   *   run here (`Proto.prepare`)
   */
  listen(url: string, options?: ListenOptions): Promise<Listener> {
    return this.#listeners.listen(url, options)
  }

  /**
   * Makes a session of a WebSocket that a server of the application's own has accepted: call it with what the event
   * 'upgrade' of `node:http` or `node:https` gives. Served by the JavaScript transport. The request is answered here,
   * also when it is refused: with 503 when the endpoint is closed or full. Nothing that a peer does makes this reject.
   *
   * @param options as those of `listen`; without `websocket.path` every path is taken
   * @throws TypeError, RangeError (rejects) for bad options, Error for a protocol that cannot run; the socket is closed
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array, options?: UpgradeOptions): Promise<void> {
    return this.#listeners.upgrade(request, socket, head, options)
  }

  /**
   * Connects to `url`, in one of the forms of `listen`.
   *
   * @throws StatusError (rejects) 105 with the last system error as cause, 499 when `signal` fires, 102 when the
   *   endpoint is closed; what a plugin refuses with
   * @throws TypeError or RangeError (rejects) for a bad URL or option
   * @throws Error (rejects) of a protocol that cannot run here (`Proto.prepare`)
   */
  async dial(url: string, options?: DialOptions): Promise<Session> {
    const address = parseAddress(url)
    const { webSocket, timeout, ...chosen } = await readDialOptions(options, this.#settings, this.transport.kind, address)
    this.#requireOpen()
    await this.#ready()
    await prepareProtocol(chosen.protocol)
    const layers = webSocket === undefined ? undefined : await this.#dialer.prepareWebSocket(webSocket)
    const session = await this.#dialer.dial({ url, address, ...chosen, layers }, timeout, options?.signal)
    return session.session as Session
  }

  /** Finds the session with this id; undefined when there is none, or it is closed. */
  session(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /** Iterates over the sessions that are not closed, in the order they were made. */
  sessions(): IterableIterator<Session> {
    return this.#sessions.all()
  }

  /** Number of sessions that are not closed. */
  get sessionCount(): number {
    return this.#sessions.size
  }

  /**
   * Closes gracefully: stops listening and dialling, then closes all sessions at once as `Session.close` does.
   * Connections made in the last 50 ms whose peers have not announced themselves get that long to do so, because
   * otherwise what their peers sent would be lost instead of refused. dmicro peers that were silent so far are asked
   * to. Resolves when all is closed.
   *
   * @param options.timeout milliseconds to wait for running handlers and open calls; default: the endpoint's
   *   `closeTimeout`
   * @throws RangeError for a bad timeout; TypeError for other options
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    const timeout = closeTimeout(options, this.#settings.closeTimeout)
    this.#closed ??= this.#close(timeout)
    return this.#closed
  }

  async #close(timeout: number): Promise<void> {
    const { beforeCloseEndpoint, afterCloseEndpoint } = this.plugins.hooks
    const { clock } = this.#settings
    this.#acceptor.quiet = true
    if (beforeCloseEndpoint !== null) await this.#lifeHooks.runAndLog(beforeCloseEndpoint, this)
    this.#dialer.close()
    const end = clock.now() + timeout
    const running = this.#closeSessions(end, ({ state }) => state !== 'preparing')
    await this.#listeners.close()
    await this.#acceptor.finish(end)
    await Promise.all([running, this.#closeSessions(end, () => true)])
    this.#transport.busyPoll?.(this, 0)
    await this.#lifeHooks.runAndLog(afterCloseEndpoint, this)
  }

  /**
   * Closes the sessions that `which` picks.
   *
   * @param end time when they must be closed, by the clock
   */
  #closeSessions(end: number, which: (session: Session) => boolean): Promise<void> {
    return this.#sessions.close(Math.max(end - this.#settings.clock.now(), 0), this.#acceptor.linger, which)
  }

  #requireOpen(): void {
    if (this.#closed !== undefined)
      throw new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the endpoint was closed')
  }
}
