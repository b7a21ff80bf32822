import { EventEmitter } from 'node:events'
import { authorityOf, formatAddress, parseAddress } from '../transports/address.ts'
import { duration, flag, requireAll, requireNames, requireObject, requireOptions, requireSignal, requireText } from '../base/check-options.ts'
import { type Clock, newSecret, sleep, turn } from '../base/time/clock.ts'
import { CloseReason, closeReasonText, isViolation } from '../message/close-reason.ts'
import { prepareCodecs } from '../codecs/codec-table.ts'
import { Dialer, type DialerOwner } from './dialer.ts'
import { Dispatcher } from './dispatcher.ts'
import { type EndpointLoad, type EndpointStats, newStats } from '../overload/endpoint-stats.ts'
import { describe, reasonOf } from '../base/errors/error-text.ts'
import { bundled } from '../base/here.ts'
import { within } from '../hooks/hook-timeout.ts'
import { discardConnection } from '../transports/discard-connection.ts'
import { LifeHookRunner } from '../hooks/life-hooks.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Logger } from '../base/log.ts'
import type { Incoming } from '../message/message.ts'
import { type EndpointOptions, readOptions, type Settings } from '../session/options.ts'
import { AddressTable } from '../overload/address-table.ts'
import { type Hooks, type Plugin, PluginContainer } from '../hooks/plugin.ts'
import type { Protocol } from '../protos/proto-table.ts'
import { type Redial, type RedialOptions, readRedial } from '../session/redial.ts'
import { runInRoot } from '../base/async/root-context.ts'
import { type AnyResult, type CallHandler, type Controller, type PushHandler, RouteGroup, type RouteOptions, Router } from './router.ts'
import { Session } from '../session/session.ts'
import { SessionTable } from './session-table.ts'
import { readSocketOptions, requireSupported, type SocketOptions, type SocketSettings } from '../transports/socket-options.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { WarningThrottle } from '../base/warning-throttle.ts'
import { isThenable } from '../base/async/thenable.ts'
import { type TimerWheel, wheelOf } from '../base/time/timer-wheel.ts'
import {
  type Connection,
  Framing,
  type ListenOptions as PortOptions,
  type Transport,
  type TransportConnection,
  type TransportListener,
} from '../transports/transport.ts'
import { chooseTransport, type TransportInfo } from '../transports/choose.ts'
import { resolveAddress } from '../transports/resolve.ts'
import { framingOf, ProtocolDetector } from '../protos/connection/protocol-detector.ts'
import { EnvelopeConnection } from '../protos/connection/envelope-connection.ts'
import { StreamConnection } from '../protos/connection/stream-connection.ts'

/** A listening address of an endpoint. */
export interface Listener {
  /** With the real port: `tcp://127.0.0.1:40123`. Can be dialled, unless the host is 0.0.0.0 or [::]. */
  readonly url: string
  /** Stops accepting. Sessions live on. */
  close(): Promise<void>
}

export interface ListenOptions extends PortOptions {
  /**
   * Names of the protocols served here. Default: the endpoint's `protocol`. Of several the first bytes of a connection decide, once; bytes of none,
   * or of more than one, close it, and so does silence for `limits.frameTimeout`.
   */
  protocols?: readonly string[] | undefined
  /** How the sockets of connections to it are set up, over the endpoint's `socket`. */
  socket?: SocketOptions | undefined
}

export interface DialOptions {
  /** Name of the protocol the peer speaks. Default: the endpoint's `protocol`. */
  protocol?: string | undefined
  /** Makes the connection anew when it is lost, and tries the first one until `timeout`. Default: the endpoint's `redial`. */
  redial?: boolean | RedialOptions | undefined
  /** How the socket is set up, over the endpoint's `socket`. */
  socket?: SocketOptions | undefined
  /** Milliseconds to connect in. Default: the endpoint's `dialTimeout`. */
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

export interface EndpointEvents {
  /** A peer connected to one of our listeners. */
  session: [session: Session]
}

const ofListen: ReadonlySet<string> = new Set(['protocols', 'socket', 'reusePort', 'exclusive'])
const ofDial: ReadonlySet<string> = new Set(['protocol', 'redial', 'socket', 'timeout', 'signal'])
const ofUnknownCall: ReadonlySet<string> = new Set(['safe'])

/** Milliseconds in which a new connection brings its first message, when it was on its way. */
const FIRST_MESSAGE = 50
/** Milliseconds that closing waits for hooks about new connections. */
const MAX_PREPARING = 1000

/**
 * Client and server at once: it listens, dials, and routes what the peers of its sessions call and push
 * (spec/behaviour.md §1).
 *
 * @example
 * const server = new Endpoint()
 * server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
 * const { url } = await server.listen('tcp://127.0.0.1:0')
 * const session = await new Endpoint().dial(url)
 * await session.call('/math/add', [1, 2, 3])
 */
export class Endpoint extends EventEmitter<EndpointEvents> {
  /** Which transport runs, and why when it is the JavaScript one. */
  readonly transport: TransportInfo
  readonly stats: EndpointStats = newStats()
  /** @internal */
  readonly settings: Settings
  /** All deadlines by its clock. @internal */
  readonly wheel: TimerWheel
  /** What `options.plugins` and later calls put there. */
  readonly plugins: PluginContainer
  readonly #transport: Transport
  readonly #router: Router
  readonly #routes: RouteGroup
  readonly #dispatcher: Dispatcher
  readonly #sessions = new SessionTable<Session>()
  readonly #listeners = new Set<TransportListener>()
  readonly #dialling: Dialer
  readonly #run: LifeHookRunner
  /** Accepted sessions that can be resumed, by their names, which only their peers know. */
  readonly #named = new Map<string, Session>()
  /** Those that wait for their peers. */
  readonly #away = new Set<Session>()
  /** Connections that have not said their protocol yet. */
  readonly #undecided = new Set<TransportConnection>()
  /** Connections by address; null where no address has a limit of its own. */
  readonly #addresses: AddressTable | null
  /** Where sessions are counted there, though their peers may come back from elsewhere. */
  readonly #counted = new WeakMap<Session, string>()
  readonly #tally: WarningThrottle
  #closed: Promise<void> | undefined
  /** No connection is taken any more. */
  #refusing = false
  /** When a session was accepted last, by the clock. */
  #accepted = Number.NEGATIVE_INFINITY
  /** Accepted sessions whose hooks still run. */
  readonly #preparing = new Set<Promise<void>>()
  /** What hooks about the making of the endpoint still do. */
  readonly #constructionHooks: Promise<unknown>[] = []

  /** @throws TypeError, RangeError for bad options; Error when `transport: 'native'` cannot run here; StatusError 1 when the transport cannot do what `socket` asks for */
  constructor(options: EndpointOptions = {}) {
    super()
    requireObject('options', options)
    requireAll('plugins', options.plugins)
    this.plugins = new PluginContainer(options.plugins)
    this.#runConstructionHooks(this.plugins.hooks.beforeNewEndpoint, options, this.plugins)
    this.settings = readOptions(options)
    this.wheel = wheelOf(this.settings.clock)
    const chosen = chooseTransport(this.settings.transport, this.settings.ioThreads, this.settings.log)
    this.transport = chosen.info
    this.#transport = chosen.transport
    requireSupported(this.settings.socket, chosen.info.kind)
    this.#transport.busyPoll?.(this, this.settings.busyPoll)
    this.#router = new Router(this.settings.mapper, this.plugins, (result) => this.#keep(result))
    this.#routes = new RouteGroup(this.#router)
    this.#dispatcher = new Dispatcher(this.settings, this.#router, this.wheel, this.stats, this.#transport)
    const { maxAddressSessions, maxConnectRate } = this.settings.limits
    const unlimited = maxAddressSessions >= defaultLimits.maxAddressSessions && maxConnectRate >= defaultLimits.maxConnectRate
    this.#addresses = unlimited ? null : new AddressTable(maxAddressSessions, maxConnectRate, this.settings.clock.now)
    this.#tally = new WarningThrottle(this.settings.log, this.settings.clock.now)
    this.#run = new LifeHookRunner(this.settings)
    this.#dialling = new Dialer(this.#diallingOwner(), this.#transport, this.#run)
    this.#runConstructionHooks(this.plugins.hooks.afterNewEndpoint, this)
  }

  /** How busy it is, as overload protection sees it; undefined without option `overload`. */
  get load(): EndpointLoad | undefined {
    return this.#dispatcher.load
  }

  /** Where it reports what nobody asked for; plugins may too. It never throws. */
  get log(): Logger {
    return this.settings.log
  }

  /** Time as it goes for this endpoint: the system's, unless its transport has another. */
  get clock(): Clock {
    return this.settings.clock
  }

  /** @internal */
  get hooks(): Hooks {
    return this.plugins.hooks
  }

  /** A constructor cannot wait: `listen` and `dial` do. */
  #runConstructionHooks<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): void {
    for (const hook of hooks ?? []) {
      const result = hook(...args)
      if (isThenable(result)) this.#keep(result)
    }
  }

  #keep(result: PromiseLike<unknown>): void {
    const settled = Promise.resolve(result)
    settled.catch(() => {}) // whoever waits for it is told
    this.#constructionHooks.push(settled)
  }

  /** @throws what one of them failed with, 408 for one that does not settle in time */
  async #ready(): Promise<void> {
    const { hookTimeout } = this.settings
    if (bundled) await prepareCodecs()
    if (this.#constructionHooks.length > 0) await Promise.all(this.#constructionHooks.map((made) => within(made, hookTimeout)))
  }

  /** Registers what answers calls: a name and a function, a named function, or a controller. See `RouteGroup.routeCall`. */
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

  /** Registers what takes pushes, in the same three forms. */
  routePush<Arg>(name: string, handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result' | 'safe'>): string[]
  routePush<Arg>(handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result' | 'safe'>): string[]
  routePush(controller: Controller, options?: Pick<RouteOptions, 'plugins'>): string[]
  routePush(...args: unknown[]): string[] {
    return (this.#routes.routePush as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /** A group whose routes share a prefix. */
  group(prefix: string, ...plugins: Plugin[]): RouteGroup {
    return this.#routes.group(prefix, ...plugins)
  }

  /** Answers calls that have no route; it gets the body as bytes, undecoded. Without one they fail with 404. */
  setUnknownCall(handler: CallHandler<Uint8Array, unknown>, options?: Pick<RouteOptions, 'safe'>): void {
    if (typeof handler !== 'function') throw new TypeError('an unknown-call handler must be a function')
    if (options !== undefined) requireOptions('options', options, ofUnknownCall)
    const safe = flag('safe', options?.safe, false)
    this.#router.unknownCall = handler
    this.#router.unknownSafe = safe
  }

  /** Takes pushes that have no route; without one they are logged and dropped. */
  setUnknownPush(handler: PushHandler<Uint8Array>): void {
    if (typeof handler !== 'function') throw new TypeError('an unknown-push handler must be a function')
    this.#router.unknownPush = handler
  }

  /**
   * Listens on `tcp://host:port` or `unix:///path`; port 0 lets the system choose.
   * @throws TypeError for a bad url, an unknown protocol, or several of which one cannot be told by its first bytes; what a protocol says that cannot
   * run here (`Proto.prepare`); the system's error (`code` 'EADDRINUSE' …) when it cannot listen
   */
  async listen(url: string, options?: ListenOptions): Promise<Listener> {
    const address = parseAddress(url)
    if (options !== undefined) requireOptions('options', options, ofListen)
    const socket = this.#socketOf(options?.socket)
    const protocols = this.#protocolsOf(options?.protocols)
    flag('reusePort', options?.reusePort, false)
    flag('exclusive', options?.exclusive, false)
    this.#requireOpen()
    await this.#ready()
    for (const protocol of protocols) if (protocol.framing !== 'raw') await protocol.prepare?.()
    const framing = protocols.length === 1 ? framingOf(protocols[0]) : Framing.Peek
    const [resolved] = await resolveAddress(address, { transport: this.#transport, lookup: this.settings.lookup })
    const connectionOptions = { ...this.settings.limits, framing, socket }
    const listener = await this.#transport.listen(
      resolved,
      connectionOptions,
      (connection) => runInRoot(this.#accept, this, connection, protocols),
      options,
    )
    if (this.#closed !== undefined) {
      await listener.close()
      this.#requireOpen()
    }
    this.#listeners.add(listener)
    const bound = formatAddress(listener.address)
    try {
      await this.#run.run(this.plugins.hooks.afterListen, bound)
    } catch (error) {
      this.#listeners.delete(listener)
      await listener.close()
      throw error
    }
    return {
      url: bound,
      close: async () => {
        this.#listeners.delete(listener)
        await listener.close()
      },
    }
  }

  /**
   * Connects to `url`.
   * @throws StatusError (rejects) 105 with the last system error as cause, what a plugin refuses with, 499 when `signal` fires; TypeError for a bad url or protocol; what a
   * protocol says that cannot run here (`Proto.prepare`)
   */
  async dial(url: string, options?: DialOptions): Promise<Session> {
    const address = parseAddress(url)
    if (options !== undefined) requireOptions('options', options, ofDial)
    requireText('protocol', options?.protocol)
    requireSignal('signal', options?.signal)
    const timeout = duration('timeout', options?.timeout, this.settings.dialTimeout, 1)
    const { settings } = this
    const protocol = options?.protocol === undefined ? settings.protocol : settings.protocols.byName(options.protocol)
    const redial = options?.redial === undefined ? settings.redial : readRedial(options.redial)
    const socket = this.#socketOf(options?.socket)
    this.#requireOpen()
    await this.#ready()
    if (protocol.framing !== 'raw') await protocol.prepare?.()
    return this.#dialling.dial({ url, address, protocol, redial, socket }, timeout, options?.signal)
  }

  #diallingOwner(): DialerOwner {
    return {
      settings: this.settings,
      stats: this.stats,
      hooks: this.hooks,
      addDialled: (connection, { address, protocol, redial }, preparing) =>
        this.#addSession(connection, protocol, authorityOf(address), preparing, redial),
      prepare: (session, hooks) => this.#prepare(session, hooks),
      wrapProtocol: (connection, { address, protocol }) => this.#wrapProtocol(connection, protocol, authorityOf(address)),
    }
  }

  /** @internal */
  onSessionLost(session: Session): void {
    this.#dialling.lost(session)
  }

  /** @internal */
  onSessionAway(session: Session): void {
    this.#away.add(session)
    if (this.#away.size <= this.settings.limits.maxAway) return
    const [longest] = this.#away
    longest.abandonReconnect(CloseReason.Peer, 'too many wait for their peers')
  }

  /** @internal */
  onSessionBack(session: Session): void {
    this.#away.delete(session)
  }

  /** @internal */
  issueToken(session: Session): string {
    const token = newSecret(this.settings.clock)
    this.#named.set(token, session)
    return token
  }

  /** @internal */
  findSession(token: string): Session | undefined {
    const session = this.#named.get(token)
    return session === undefined || session.state === 'closing' || session.state === 'closed' ? undefined : session
  }

  /** The open session with this id. */
  session(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /** All open sessions, in the order they began. */
  sessions(): IterableIterator<Session> {
    return this.#sessions.values()
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /**
   * Closes gracefully: stops listening and dialling, then closes every session as `Session.close` does, all at once. Connections that were made
   * in the last 50 ms and have not announced themselves yet get that long to, so that what their peers sent is refused and not lost.
   * @param options.timeout milliseconds for running handlers and open calls; default: the endpoint's `closeTimeout`
   * @throws RangeError
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    const timeout = duration('timeout', options?.timeout, this.settings.closeTimeout, 0)
    this.#closed ??= this.#close(timeout)
    return this.#closed
  }

  /** @internal */
  onRequest(session: Session, message: Incoming): void {
    this.#dispatcher.dispatch(session, message)
  }

  /** @internal */
  onSessionRoom(session: Session): void {
    this.#dispatcher.look(session)
  }

  /** @internal */
  onSessionClosed(session: Session, reason: number): void {
    this.#sessions.remove(session)
    this.#dialling.forget(session)
    this.#away.delete(session)
    if (session.token !== undefined) this.#named.delete(session.token)
    this.#dispatcher.forget(session, reason === CloseReason.Local)
    const counted = this.#counted.get(session)
    if (counted !== undefined && this.#counted.delete(session)) this.#addresses?.leave(counted)
    this.stats.closed++
    if (isViolation(reason)) this.stats.violations++
    if (this.hooks.afterDisconnect !== null) void runInRoot(this.#run.runAndLog, this.#run, this.hooks.afterDisconnect, session)
  }

  /** @internal */
  onSessionSlowed(session: Session): void {
    this.stats.throttled++
    this.#tally.warn('a session is slowed down', session.remoteAddress, 'too many messages a second')
  }

  /** @internal */
  renameSession(session: Session, id: string): void {
    void this.#sessions.rename(session, id)?.close()
  }

  #accept(connection: TransportConnection, protocols: readonly Protocol[]): void {
    const reason = this.#fullFor(connection)
    if (reason !== undefined) {
      this.#refuse(connection, reason)
    } else if (protocols.length === 1) {
      this.#begin(connection, protocols[0])
    } else {
      this.#accepted = this.wheel.now()
      this.#undecided.add(connection)
      const decided = (protocol: Protocol): void => {
        this.#undecided.delete(connection)
        runInRoot(this.#begin, this, connection, protocol)
      }
      new ProtocolDetector(connection, protocols, this.settings.limits, decided, (reason) => this.#neverDecided(connection, reason))
    }
  }

  /** Why one more connection may not stay; `undefined`: it may. */
  #fullFor(connection: TransportConnection): string | undefined {
    // Who waits for its peer has no connection: it must not keep that peer out.
    const connections = this.#sessions.size - this.#away.size + this.#undecided.size
    if (this.#refusing || connections >= this.settings.limits.maxSessions) {
      return closeReasonText[CloseReason.Refused]
    }
    return this.#addresses?.enter(connection.remoteAddress)
  }

  #neverDecided(connection: TransportConnection, reason: number): void {
    this.#undecided.delete(connection)
    this.#addresses?.leave(connection.remoteAddress)
    if (!isViolation(reason)) return
    this.stats.violations++
    this.settings.log.warn('connection closed', { remote: connection.remoteAddress, reason: closeReasonText[reason] })
  }

  #begin(connection: TransportConnection, protocol: Protocol): void {
    this.stats.accepted++
    const { afterAccept } = this.hooks
    const session = this.#addSession(connection, protocol, undefined, afterAccept !== null)
    this.#accepted = this.settings.clock.now()
    if (this.#addresses !== null) this.#counted.set(session, connection.remoteAddress)
    if (afterAccept === null) {
      this.#announce(session)
    } else {
      const prepared = this.#prepare(session, this.#run.run(afterAccept, session)).then(
        () => {
          this.#accepted = this.settings.clock.now()
          if (session.state !== 'closed') this.#announce(session) // its connection may have become another's
        },
        (error) => this.settings.log.warn('session refused', { remote: session.remoteAddress, error: reasonOf(error) }),
      )
      this.#preparing.add(prepared)
      void prepared.finally(() => this.#preparing.delete(prepared))
    }
  }

  /** The session runs when its hooks are done; when one fails it is closed, and the error thrown on. */
  async #prepare(session: Session, hooks: Promise<void>): Promise<void> {
    try {
      await hooks
    } catch (error) {
      session.refuse()
      throw error
    }
    session.begin()
  }

  #announce(session: Session): void {
    try {
      runInRoot(this.emit as (name: 'session', session: Session) => boolean, this, 'session', session)
    } catch (error) {
      this.settings.log.error('a session listener threw', { error: describe(error) })
    }
  }

  #refuse(connection: Connection, reason: string): void {
    if (this.#closed === undefined) {
      this.stats.refused++
      this.#tally.warn('connection refused', connection.remoteAddress, reason)
    }
    discardConnection(connection, CloseReason.Refused)
  }

  #protocolsOf(names: readonly string[] | undefined): readonly Protocol[] {
    const { protocol, protocols } = this.settings
    if (names === undefined) return [protocol]
    requireNames('protocols', names)
    const chosen = names.map((name) => protocols.byName(name))
    if (chosen.length === 0 || new Set(chosen).size !== chosen.length)
      throw new TypeError('option protocols must name at least one protocol, and each once')
    const mute = chosen.length === 1 ? undefined : chosen.find(({ match }) => match === undefined)
    if (mute !== undefined) throw new TypeError(`protocol ${mute.name} has no match: it needs a listener to itself`)
    return chosen
  }

  #socketOf(options: SocketOptions | undefined): SocketSettings {
    const settings = readSocketOptions('socket', options, this.settings.socket)
    requireSupported(settings, this.transport.kind)
    return settings
  }

  /** @param authority where it was dialled; undefined: it was accepted */
  #addSession(
    transportConnection: TransportConnection,
    protocol: Protocol,
    authority: string | undefined,
    preparing: boolean,
    redial?: Redial,
  ): Session {
    const id = this.freeId(authority === undefined ? transportConnection.remoteAddress : transportConnection.localAddress)
    const extensible = protocol.framing !== 'stream'
    const session = new Session(
      this,
      this.#wrapProtocol(transportConnection, protocol, authority),
      id,
      protocol.name,
      extensible,
      preparing,
      redial,
    )
    this.#sessions.add(session)
    return session
  }

  /** @internal */
  freeId(address: string): string {
    return this.#sessions.freeId(address)
  }

  #wrapProtocol(connection: TransportConnection, protocol: Protocol, authority: string | undefined): Connection {
    if (protocol.framing === 'raw') return connection
    const { limits, filters, clock } = this.settings
    const router = this.#router
    const { calls } = router
    const isSafe = (route: number): boolean | undefined =>
      calls.get(route)?.safe ?? (router.unknownCall === undefined ? undefined : router.unknownSafe)
    const handles = (route: number): boolean => calls.get(route) !== undefined
    const owner = { limits, filters, wheel: this.wheel, clock, handles, isSafe }
    return protocol.framing === 'envelope'
      ? new EnvelopeConnection(connection, protocol, owner, authority)
      : new StreamConnection(connection, protocol, owner, authority)
  }

  async #close(timeout: number): Promise<void> {
    if (this.hooks.beforeCloseEndpoint !== null) await this.#run.runAndLog(this.hooks.beforeCloseEndpoint, this)
    this.#dialling.close()
    const end = this.settings.clock.now() + timeout
    const running = this.#closeSessions(end, ({ state }) => state !== 'preparing')
    if (this.#listeners.size > 0) for (let turns = 0; turns < 2; turns++) await turn() // connections that the system has made are taken: it would reset them
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    this.#listeners.clear()
    await this.#waitForNewConnections(Math.min(end, this.settings.clock.now() + MAX_PREPARING))
    this.#refusing = true
    for (const connection of this.#undecided) connection.destroy(CloseReason.Local)
    await Promise.all([running, this.#closeSessions(end, () => true)])
    this.#transport.busyPoll?.(this, 0)
    await this.#run.runAndLog(this.hooks.afterCloseEndpoint, this)
  }

  /** The first message of a connection that was just made may be on its way: once it is here its sender can be told. */
  get #firstMessage(): number {
    return this.settings.extensions ? this.#accepted + FIRST_MESSAGE - this.settings.clock.now() : 0
  }

  /** @param end of what they may take, by `this.settings.clock.now()` */
  #closeSessions(end: number, which: (session: Session) => boolean): Promise<unknown> {
    const timeout = Math.max(end - this.settings.clock.now(), 0)
    return Promise.all([...this.#sessions.values()].filter(which).map((session) => session.closeWithin(timeout, this.#firstMessage)))
  }

  /** Connections whose hooks run, or that have not said their protocol, become sessions or not. @param latest by `this.settings.clock.now()` */
  async #waitForNewConnections(latest: number): Promise<void> {
    const timer = new AbortController()
    const wait = (ms: number): Promise<void> => sleep(this.settings.clock, Math.max(ms, 0), timer.signal).catch(() => {})
    if (this.#undecided.size > 0) await wait(Math.min(this.#firstMessage, latest - this.settings.clock.now()))
    if (this.#preparing.size > 0) await Promise.race([Promise.all(this.#preparing), wait(latest - this.settings.clock.now())])
    timer.abort()
  }

  #requireOpen(): void {
    if (this.#closed !== undefined)
      throw new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the endpoint was closed')
  }
}
