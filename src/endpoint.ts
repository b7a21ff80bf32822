import { lookup } from 'node:dns/promises'
import { EventEmitter } from 'node:events'
import { isIP } from 'node:net'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { type Clock, newSecret, sleep, timeoutSignal } from './clock.ts'
import { CloseReason, closeReasonText, isViolation } from './close-reason.ts'
import { Dispatcher } from './dispatcher.ts'
import { within } from './hook-timeout.ts'
import { runHooks } from './hooks.ts'
import type { Logger } from './log.ts'
import type { Incoming } from './message.ts'
import { duration, type EndpointOptions, readOptions, type Settings } from './options.ts'
import { type Hooks, type Plugin, PluginContainer } from './plugin.ts'
import type { Protocol } from './proto-table.ts'
import { type Redial, type RedialOptions, readRedial, redialDelay } from './redial.ts'
import { type CallHandler, type Controller, type PushHandler, RouteGroup, type RouteOptions, Router } from './router.ts'
import { Session } from './session.ts'
import { Code, StatusError, statusText, textOf } from './status.ts'
import { isThenable } from './thenable.ts'
import { type TimerWheel, wheelOf } from './timer-wheel.ts'
import { Framing, type ListenOptions as SocketOptions, type SocketWire, type Transport, type Wire, type WireListener } from './transport.ts'
import { chooseTransport, type TransportInfo } from './transports/choose.ts'
import { framingOf, Undecided } from './wires/detect.ts'
import { EnvelopeWire } from './wires/envelope-wire.ts'
import { StreamWire } from './wires/stream-wire.ts'

/** A listening address of an endpoint. */
export interface Listener {
  /** With the real port: `tcp://127.0.0.1:40123`. Can be dialled, unless the host is 0.0.0.0 or [::]. */
  readonly url: string
  /** Stops accepting. Sessions live on. */
  close(): Promise<void>
}

export interface ListenOptions extends SocketOptions {
  /**
   * Names of the protocols served here. Default: the endpoint's `protocol`. Of several the first bytes of a connection decide, once; bytes of none,
   * or of more than one, close it, and so does silence for `limits.frameTimeout`.
   */
  protocols?: readonly string[]
}

export interface DialOptions {
  /** Name of the protocol the peer speaks. Default: the endpoint's `protocol`. */
  protocol?: string
  /** Makes the connection anew when it is lost, and tries the first one until `timeout`. Default: the endpoint's `redial`. */
  redial?: boolean | RedialOptions
  /** Milliseconds to connect in. Default: the endpoint's `dialTimeout`. */
  timeout?: number
  signal?: AbortSignal
}

export interface EndpointEvents {
  /** A peer connected to one of our listeners. */
  session: [session: Session]
}

/** Counters since the endpoint was made. */
export interface EndpointStats {
  accepted: number
  dialled: number
  closed: number
  /** Sessions closed because the peer broke the protocol or a limit. */
  violations: number
  /** Connections refused because of `limits.maxSessions`. */
  refused: number
}

/** Where a session was dialled. */
interface Target {
  readonly url: string
  readonly address: Address
  readonly protocol: Protocol
  readonly redial: Redial | undefined
}

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
  readonly stats: EndpointStats = { accepted: 0, dialled: 0, closed: 0, violations: 0, refused: 0 }
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
  readonly #sessions = new Map<string, Session>()
  readonly #listeners = new Set<WireListener>()
  readonly #dials = new Set<AbortController>()
  /** Of sessions with redial. */
  readonly #targets = new Map<Session, Target & { abort: AbortController }>()
  /** Accepted sessions that can be resumed, by their names, which only their peers know. */
  readonly #named = new Map<string, Session>()
  /** Those that wait for their peers. */
  readonly #away = new Set<Session>()
  /** Connections that have not said their protocol yet. */
  readonly #undecided = new Set<SocketWire>()
  #closed: Promise<void> | undefined
  /** No connection is taken any more. */
  #refusing = false
  /** When a session was accepted last, by the clock. */
  #accepted = Number.NEGATIVE_INFINITY
  /** Accepted sessions whose hooks still run. */
  readonly #preparing = new Set<Promise<void>>()
  /** What hooks about the making of the endpoint still do. */
  readonly #made: Promise<unknown>[] = []

  /** @throws TypeError, RangeError for bad options; Error when `transport: 'native'` cannot run here */
  constructor(options: EndpointOptions = {}) {
    super()
    this.plugins = new PluginContainer(options.plugins ?? [])
    this.#making(this.plugins.hooks.beforeNewEndpoint, options, this.plugins)
    this.settings = readOptions(options)
    this.wheel = wheelOf(this.settings.clock)
    const chosen = chooseTransport(this.settings.transport, this.settings.ioThreads, this.settings.log)
    this.transport = chosen.info
    this.#transport = chosen.transport
    this.#transport.busyPoll?.(this, this.settings.busyPoll)
    this.#router = new Router(this.settings.mapper, this.plugins, (result) => this.#keep(result))
    this.#routes = new RouteGroup(this.#router)
    this.#dispatcher = new Dispatcher(this.settings, this.#router)
    this.#making(this.plugins.hooks.afterNewEndpoint, this)
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
  #making<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): void {
    for (const hook of hooks ?? []) {
      const result = hook(...args)
      if (isThenable(result)) this.#keep(result)
    }
  }

  #keep(result: PromiseLike<unknown>): void {
    const settled = Promise.resolve(result)
    settled.catch(() => {}) // whoever waits for it is told
    this.#made.push(settled)
  }

  /** @throws what one of them failed with, 408 for one that does not settle in time */
  async #ready(): Promise<void> {
    const { hookTimeout } = this.settings
    if (this.#made.length > 0) await Promise.all(this.#made.map((made) => within(made, hookTimeout)))
  }

  /** Registers what answers calls: a name and a function, a named function, or a controller. See `RouteGroup.routeCall`. */
  routeCall<Arg, Result>(name: string, handler: CallHandler<Arg, Result>, options?: RouteOptions<Arg>): string[]
  routeCall<Arg, Result>(handler: CallHandler<Arg, Result>, options?: RouteOptions<Arg>): string[]
  routeCall(controller: Controller, options?: Pick<RouteOptions, 'plugins'>): string[]
  routeCall(...args: unknown[]): string[] {
    return (this.#routes.routeCall as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /** Registers what takes pushes, in the same three forms. */
  routePush<Arg>(name: string, handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result'>): string[]
  routePush<Arg>(handler: PushHandler<Arg>, options?: Omit<RouteOptions<Arg>, 'result'>): string[]
  routePush(controller: Controller, options?: Pick<RouteOptions, 'plugins'>): string[]
  routePush(...args: unknown[]): string[] {
    return (this.#routes.routePush as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /** A group whose routes share a prefix. */
  group(prefix: string, ...plugins: Plugin[]): RouteGroup {
    return this.#routes.group(prefix, ...plugins)
  }

  /** Answers calls that have no route; it gets the body as bytes, undecoded. Without one they fail with 404. */
  setUnknownCall(handler: CallHandler<Uint8Array, unknown>): void {
    if (typeof handler !== 'function') throw new TypeError('an unknown-call handler must be a function')
    this.#router.unknownCall = handler
  }

  /** Takes pushes that have no route; without one they are logged and dropped. */
  setUnknownPush(handler: PushHandler<Uint8Array>): void {
    if (typeof handler !== 'function') throw new TypeError('an unknown-push handler must be a function')
    this.#router.unknownPush = handler
  }

  /**
   * Listens on `tcp://host:port` or `unix:///path`; port 0 lets the system choose.
   * @throws TypeError for a bad url, an unknown protocol, or several of which one cannot be told by its first bytes; the system's error (`code` 'EADDRINUSE' …) when it cannot listen
   */
  async listen(url: string, options?: ListenOptions): Promise<Listener> {
    this.#requireOpen()
    await this.#ready()
    const address = parseAddress(url)
    const protocols = this.#protocolsOf(options?.protocols)
    const framing = protocols.length === 1 ? framingOf(protocols[0]) : Framing.Peek
    const [resolved] = await resolve(address, this.#transport)
    const wireOptions = { ...this.settings.limits, framing }
    const listener = await this.#transport.listen(resolved, wireOptions, (wire) => this.#accept(wire, protocols), options)
    if (this.#closed !== undefined) {
      await listener.close()
      this.#requireOpen()
    }
    this.#listeners.add(listener)
    const bound = formatAddress(listener.address)
    try {
      await this.#all(this.plugins.hooks.afterListen, bound)
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
   * @throws StatusError (rejects) 105 with the last system error as cause, what a plugin refuses with, 499 when `signal` fires; TypeError for a bad url or protocol
   */
  async dial(url: string, options?: DialOptions): Promise<Session> {
    const address = parseAddress(url)
    const timeout = duration('timeout', options?.timeout, this.settings.dialTimeout, 1)
    const { settings } = this
    const protocol = options?.protocol === undefined ? settings.protocol : settings.protocols.byName(options.protocol)
    const redial = options?.redial === undefined ? settings.redial : readRedial(options.redial)
    this.#requireOpen()
    await this.#ready()
    try {
      await this.#all(this.hooks.beforeDial, url, false)
    } catch (error) {
      throw error instanceof StatusError ? error : dialFailure(error)
    }
    try {
      return await this.#dialFirst({ url, address, protocol, redial }, timeout, options)
    } catch (error) {
      await this.#watched(this.hooks.afterDialFail, url, error as Error, false)
      throw error
    }
  }

  async #dialFirst(target: Target, timeout: number, options: DialOptions | undefined): Promise<Session> {
    const { url, protocol, redial } = target
    const abort = new AbortController()
    const { clock } = this.settings
    const timer = clock.setTimeout(() => abort.abort(new Error(`no connection to ${url} within ${timeout} ms`)), timeout)
    const onAbort = (): void => abort.abort(options?.signal?.reason)
    if (options?.signal?.aborted) onAbort()
    options?.signal?.addEventListener('abort', onAbort, { once: true })
    this.#dials.add(abort)
    try {
      const wire = await this.#connectSoon(target, abort.signal)
      this.stats.dialled++
      const { afterDial } = this.hooks
      const session = this.#addSession(wire, protocol, false, afterDial !== null, redial)
      if (redial !== undefined) this.#targets.set(session, { ...target, abort: new AbortController() })
      if (afterDial !== null) await this.#prepare(session, this.#all(afterDial, session, false))
      if (session.state === 'closed') throw new Error('the connection was lost')
      return session
    } catch (error) {
      if (error instanceof StatusError) throw error // a plugin's own
      throw options?.signal?.aborted ? new StatusError(Code.Canceled, undefined, textOf(error)) : dialFailure(error)
    } finally {
      clock.clearTimeout(timer)
      this.#dials.delete(abort)
      options?.signal?.removeEventListener('abort', onAbort)
    }
  }

  /** With redial the first connection is tried for as long as `signal` allows. */
  async #connectSoon({ address, protocol, redial }: Target, signal: AbortSignal): Promise<SocketWire> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connect(address, framingOf(protocol), signal)
      } catch (error) {
        if (redial === undefined || attempt >= redial.times || signal.aborted) throw error
        const { clock } = this.settings
        await sleep(clock, redialDelay(redial, attempt, clock.random), signal).catch(() => {
          throw error
        })
      }
    }
  }

  /** @internal */
  onSessionLost(session: Session): void {
    const target = this.#targets.get(session)
    if (target !== undefined) void this.#redial(session, target)
  }

  /** Makes the connection of a session anew (spec/behaviour.md §1.4); counts attempts afresh after each loss. */
  async #redial(session: Session, { url, address, protocol, redial, abort }: Target & { abort: AbortController }): Promise<void> {
    const { clock, dialTimeout } = this.settings
    let failure = new Error('no attempt was made')
    for (let attempt = 0; attempt < (redial as Redial).times; attempt++) {
      try {
        await sleep(clock, redialDelay(redial as Redial, attempt, clock.random), abort.signal)
        await this.#watched(this.hooks.beforeDial, url, true)
        const signal = AbortSignal.any([abort.signal, timeoutSignal(clock, dialTimeout)])
        const wire = await this.#connect(address, framingOf(protocol), signal)
        if (abort.signal.aborted) {
          // Closed in the moment that the connection came: nobody else would let go of it.
          ignoreWire(wire)
          return
        }
        session.attach(this.#speak(wire, protocol, false))
        this.stats.dialled++
        await this.#all(this.hooks.afterDial, session, true)
        await session.resume()
        if (session.reopen()) return
        failure = new Error('the connection was lost')
      } catch (error) {
        failure = error instanceof Error ? error : new Error(textOf(error))
        session.detach()
      }
      if (abort.signal.aborted) return // the session is closed
    }
    await this.#watched(this.hooks.afterDialFail, url, failure, true)
    session.giveUp(CloseReason.Io, failure.message)
  }

  /** @internal */
  onSessionAway(session: Session): void {
    this.#away.add(session)
    if (this.#away.size <= this.settings.limits.maxAway) return
    const [longest] = this.#away
    longest.giveUp(CloseReason.Peer, 'too many wait for their peers')
  }

  /** @internal */
  nameSession(session: Session): string {
    const token = newSecret(this.settings.clock)
    this.#named.set(token, session)
    return token
  }

  /** @internal */
  findSession(token: string): Session | undefined {
    const session = this.#named.get(token)
    if (session === undefined || session.state === 'closing' || session.state === 'closed') return undefined
    this.#away.delete(session)
    return session
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
   * in the last 50 ms and have said nothing yet get that long to, so that what their peers sent is not lost.
   * @param options.timeout milliseconds for running handlers and open calls; default: the endpoint's `closeTimeout`
   */
  close(options?: { timeout?: number }): Promise<void> {
    this.#closed ??= this.#close(options)
    return this.#closed
  }

  /** @internal */
  onRequest(session: Session, message: Incoming): void {
    this.#dispatcher.dispatch(session, message)
  }

  /** @internal */
  onSessionClosed(session: Session, reason: number): void {
    // Only its own entry: another session may have taken the id over (quirks H3).
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
    this.#targets.get(session)?.abort.abort()
    this.#targets.delete(session)
    this.#away.delete(session)
    if (session.token !== undefined) this.#named.delete(session.token)
    this.stats.closed++
    if (isViolation(reason)) this.stats.violations++
    void this.#watched(this.hooks.afterDisconnect, session)
  }

  /** @internal */
  renameSession(session: Session, id: string): void {
    const owner = this.#sessions.get(id)
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
    this.#sessions.set(id, session)
    void owner?.close()
  }

  #accept(wire: SocketWire, protocols: readonly Protocol[]): void {
    if (this.#refusing || this.#sessions.size + this.#undecided.size >= this.settings.limits.maxSessions) {
      this.#refuse(wire)
    } else if (protocols.length === 1) {
      this.#begin(wire, protocols[0])
    } else {
      this.#accepted = this.wheel.now()
      this.#undecided.add(wire)
      const decided = (protocol: Protocol): void => {
        this.#undecided.delete(wire)
        this.#begin(wire, protocol)
      }
      new Undecided(wire, protocols, this.settings.limits, decided, (reason) => this.#neverDecided(wire, reason))
    }
  }

  #neverDecided(wire: SocketWire, reason: number): void {
    this.#undecided.delete(wire)
    if (!isViolation(reason)) return
    this.stats.violations++
    this.settings.log.warn('connection closed', { remote: wire.remoteAddress, reason: closeReasonText[reason] })
  }

  #begin(wire: SocketWire, protocol: Protocol): void {
    this.stats.accepted++
    const { afterAccept } = this.hooks
    const session = this.#addSession(wire, protocol, true, afterAccept !== null)
    this.#accepted = this.wheel.now()
    if (afterAccept === null) {
      this.#announce(session)
    } else {
      const prepared = this.#prepare(session, this.#all(afterAccept, session)).then(
        () => {
          this.#accepted = this.wheel.now()
          this.#announce(session)
        },
        (error) => this.settings.log.warn('session refused', { remote: session.remoteAddress, error: textOf(error) }),
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

  /** Hooks in order; the first that fails stops them. */
  async #all<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): Promise<void> {
    await runHooks(hooks === null ? null : hooks.map((hook) => () => hook(...args)), undefined, this.settings.hookTimeout)
  }

  /** The same where a failure changes nothing. */
  #watched<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): Promise<void> {
    if (hooks === null) return Promise.resolve()
    return this.#all(hooks, ...args).catch((error) => this.settings.log.warn('a plugin failed', { error: textOf(error) }))
  }

  #announce(session: Session): void {
    try {
      this.emit('session', session)
    } catch (error) {
      this.settings.log.error('a session listener threw', { error: textOf(error) })
    }
  }

  #refuse(wire: Wire): void {
    if (this.#closed === undefined) {
      this.stats.refused++
      this.settings.log.warn('connection refused', { remote: wire.remoteAddress, reason: closeReasonText[CloseReason.Refused] })
    }
    ignoreWire(wire, CloseReason.Refused)
  }

  #protocolsOf(names: readonly string[] | undefined): readonly Protocol[] {
    const { protocol, protocols } = this.settings
    if (names === undefined) return [protocol]
    const chosen = names.map((name) => protocols.byName(name))
    if (chosen.length === 0 || new Set(chosen).size !== chosen.length)
      throw new TypeError('option protocols must name at least one protocol, and each once')
    const mute = chosen.length === 1 ? undefined : chosen.find(({ match }) => match === undefined)
    if (mute !== undefined) throw new TypeError(`protocol ${mute.name} has no match: it needs a listener to itself`)
    return chosen
  }

  #addSession(socketWire: SocketWire, protocol: Protocol, accepted: boolean, preparing: boolean, redial?: Redial): Session {
    const id = this.freeId(accepted ? socketWire.remoteAddress : socketWire.localAddress)
    const extensible = protocol.framing !== 'stream'
    const session = new Session(this, this.#speak(socketWire, protocol, accepted), id, protocol.name, extensible, preparing, redial)
    this.#sessions.set(id, session)
    return session
  }

  /** @internal */
  freeId(address: string): string {
    // Clients of a Unix socket all have the same address.
    let id = address
    for (let n = 2; this.#sessions.has(id); n++) id = `${address}#${n}`
    return id
  }

  #speak(wire: SocketWire, protocol: Protocol, accepted: boolean): Wire {
    if (protocol.framing === 'raw') return wire
    const owner = { limits: this.settings.limits, filters: this.settings.filters, wheel: this.wheel }
    return protocol.framing === 'envelope'
      ? new EnvelopeWire(wire, protocol, owner, accepted)
      : new StreamWire(wire, protocol, owner, accepted)
  }

  async #connect(address: Address, framing: Framing, signal: AbortSignal): Promise<SocketWire> {
    let failure: unknown = new Error(`${formatAddress(address)} has no address`)
    for (const candidate of await resolve(address, this.#transport)) {
      try {
        return await this.#transport.dial(candidate, { ...this.settings.limits, framing }, signal)
      } catch (error) {
        failure = error
        if (signal.aborted) break
      }
    }
    throw failure
  }

  async #close(options?: { timeout?: number }): Promise<void> {
    if (this.hooks.beforeCloseEndpoint !== null) await this.#watched(this.hooks.beforeCloseEndpoint, this)
    for (const dial of this.#dials) dial.abort(new Error('the endpoint was closed'))
    if (this.#listeners.size > 0) await twoTurns() // connections that the system has made are taken: it would reset them
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    this.#listeners.clear()
    const { extensions, closeTimeout } = this.settings
    const end = this.wheel.now() + duration('timeout', options?.timeout, closeTimeout, 0)
    const known = [...this.#sessions.values()].filter(({ peerKnown }) => peerKnown)
    const told = Promise.all(known.map((session) => session.close(options)))
    if (extensions) await this.#hearNewcomers(end)
    this.#refusing = true
    for (const wire of this.#undecided) wire.destroy(CloseReason.Local)
    const timeout = Math.max(end - this.wheel.now(), 0)
    await Promise.all([told, ...[...this.#sessions.values()].map((session) => session.close({ timeout }))])
    this.#transport.busyPoll?.(this, 0)
    await this.#watched(this.hooks.afterCloseEndpoint, this)
  }

  /**
   * The first message of a connection that was just made may be on its way. Closed at once it would be lost; once it is here its sender can be told.
   * @param end by the clock
   */
  async #hearNewcomers(end: number): Promise<void> {
    const { clock } = this.settings
    const latest = Math.min(end, clock.now() + MAX_PREPARING)
    for (;;) {
      const now = clock.now()
      const silent =
        this.#undecided.size > 0 || [...this.#sessions.values()].some(({ peerKnown, state }) => !peerKnown && state !== 'closing')
      if (!silent || now >= latest) return
      if (this.#preparing.size > 0) {
        const timer = new AbortController()
        const late = sleep(clock, latest - now, timer.signal).catch(() => {})
        await Promise.race([Promise.all(this.#preparing), late])
        timer.abort()
      } else {
        const rest = Math.min(this.#accepted + FIRST_MESSAGE, latest) - now
        if (rest <= 0) return
        await sleep(clock, rest)
      }
    }
  }

  #requireOpen(): void {
    if (this.#closed !== undefined)
      throw new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the endpoint was closed')
  }
}

/** The same address with names replaced by the addresses they have, in the system's order. */
async function resolve(address: Address, transport: Transport): Promise<Address[]> {
  if (transport.resolves === true || address.kind === 'unix' || isIP(address.host) !== 0) return [address]
  const found = await lookup(address.host, { all: true })
  return found.map(({ address: host }) => ({ kind: 'tcp', host, port: address.port }))
}

/** All sockets that were ready are looked at in between. */
function twoTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}

function dialFailure(error: unknown): StatusError {
  return new StatusError(Code.DialFailed, statusText(Code.DialFailed), textOf(error))
}

/** Closes a connection that no session gets. */
function ignoreWire(wire: Wire, reason: CloseReason = CloseReason.Local): void {
  wire.sink = { onMessage: () => {}, onClose: () => {} }
  wire.destroy(reason)
}
