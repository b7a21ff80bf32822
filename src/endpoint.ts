import { lookup } from 'node:dns/promises'
import { EventEmitter } from 'node:events'
import { isIP } from 'node:net'
import { type Address, formatAddress, parseAddress } from './address.ts'
import { CloseReason, closeReasonText, isViolation } from './close-reason.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Incoming } from './message.ts'
import type { RouteTypes } from './message-type.ts'
import { duration, type EndpointOptions, readOptions, type Settings } from './options.ts'
import { type CallHandler, type Controller, type PushHandler, RouteGroup, Router } from './router.ts'
import { Session } from './session.ts'
import { Code, StatusError, statusText, textOf } from './status.ts'
import { TimerWheel } from './timer-wheel.ts'
import type { ListenOptions, Transport, Wire, WireListener } from './transport.ts'
import { chooseTransport, type TransportInfo } from './transports/choose.ts'

/** A listening address of an endpoint. */
export interface Listener {
  /** With the real port: `tcp://127.0.0.1:40123`. Can be dialled, unless the host is 0.0.0.0 or [::]. */
  readonly url: string
  /** Stops accepting. Sessions live on. */
  close(): Promise<void>
}

export interface DialOptions {
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

/** All deadlines of this environment. */
const wheel = new TimerWheel()

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
  /** @internal */
  readonly wheel = wheel
  readonly #transport: Transport
  readonly #router: Router
  readonly #routes: RouteGroup
  readonly #dispatcher: Dispatcher
  readonly #sessions = new Map<string, Session>()
  readonly #listeners = new Set<WireListener>()
  readonly #dials = new Set<AbortController>()
  #closed: Promise<void> | undefined

  /** @throws TypeError, RangeError for bad options; Error when `transport: 'native'` cannot run here */
  constructor(options: EndpointOptions = {}) {
    super()
    this.settings = readOptions(options)
    const chosen = chooseTransport(this.settings.transport, this.settings.ioThreads, this.settings.log)
    this.transport = chosen.info
    this.#transport = chosen.transport
    this.#transport.busyPoll?.(this, this.settings.busyPoll)
    this.#router = new Router(this.settings.mapper)
    this.#routes = new RouteGroup(this.#router)
    this.#dispatcher = new Dispatcher(this.settings, this.#router)
  }

  /** Registers what answers calls: a name and a function, a named function, or a controller. See `RouteGroup.routeCall`. */
  routeCall<Arg, Result>(name: string, handler: CallHandler<Arg, Result>, types?: RouteTypes<Arg>): string[]
  routeCall<Arg, Result>(handler: CallHandler<Arg, Result>, types?: RouteTypes<Arg>): string[]
  routeCall(controller: Controller): string[]
  routeCall(...args: unknown[]): string[] {
    return (this.#routes.routeCall as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /** Registers what takes pushes, in the same three forms. */
  routePush<Arg>(name: string, handler: PushHandler<Arg>, types?: Pick<RouteTypes<Arg>, 'arg'>): string[]
  routePush<Arg>(handler: PushHandler<Arg>, types?: Pick<RouteTypes<Arg>, 'arg'>): string[]
  routePush(controller: Controller): string[]
  routePush(...args: unknown[]): string[] {
    return (this.#routes.routePush as (...args: unknown[]) => string[]).apply(this.#routes, args)
  }

  /** A group whose routes share a prefix. */
  group(prefix: string): RouteGroup {
    return this.#routes.group(prefix)
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
   * @throws TypeError for a bad url; the system's error (`code` 'EADDRINUSE' …) when it cannot listen
   */
  async listen(url: string, options?: ListenOptions): Promise<Listener> {
    this.#requireOpen()
    const address = parseAddress(url)
    const [resolved] = await resolve(address)
    const listener = await this.#transport.listen(resolved, this.settings.limits, (wire) => this.#accept(wire), options)
    if (this.#closed !== undefined) {
      await listener.close()
      this.#requireOpen()
    }
    this.#listeners.add(listener)
    return {
      url: formatAddress(listener.address),
      close: async () => {
        this.#listeners.delete(listener)
        await listener.close()
      },
    }
  }

  /**
   * Connects to `url`.
   * @throws StatusError 105 (rejects) with the last system error as cause, 499 when `signal` fires; TypeError for a bad url
   */
  async dial(url: string, options?: DialOptions): Promise<Session> {
    const address = parseAddress(url)
    const timeout = duration('timeout', options?.timeout, this.settings.dialTimeout, 1)
    this.#requireOpen()
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(new Error(`no connection to ${url} within ${timeout} ms`)), timeout)
    const onAbort = (): void => abort.abort(options?.signal?.reason)
    if (options?.signal?.aborted) onAbort()
    options?.signal?.addEventListener('abort', onAbort, { once: true })
    this.#dials.add(abort)
    try {
      const wire = await this.#connect(address, abort.signal)
      this.stats.dialled++
      return this.#addSession(wire, wire.localAddress)
    } catch (error) {
      const code = options?.signal?.aborted ? Code.Canceled : Code.DialFailed
      throw new StatusError(code, statusText(code), textOf(error))
    } finally {
      clearTimeout(timer)
      this.#dials.delete(abort)
      options?.signal?.removeEventListener('abort', onAbort)
    }
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
   * Closes gracefully: stops listening and dialling, then closes every session as `Session.close` does, all at once.
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
    this.stats.closed++
    if (isViolation(reason)) this.stats.violations++
  }

  /** @internal */
  renameSession(session: Session, id: string): void {
    const owner = this.#sessions.get(id)
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id)
    this.#sessions.set(id, session)
    void owner?.close()
  }

  #accept(wire: Wire): void {
    if (this.#closed !== undefined || this.#sessions.size >= this.settings.limits.maxSessions) {
      this.#refuse(wire)
      return
    }
    this.stats.accepted++
    const session = this.#addSession(wire, wire.remoteAddress)
    try {
      this.emit('session', session)
    } catch (error) {
      this.settings.log.error('a session listener threw', { error: textOf(error) })
    }
  }

  #refuse(wire: Wire): void {
    wire.sink = { onMessage: () => {}, onClose: () => {} }
    if (this.#closed === undefined) {
      this.stats.refused++
      this.settings.log.warn('connection refused', { remote: wire.remoteAddress, reason: closeReasonText[CloseReason.Refused] })
    }
    wire.destroy(CloseReason.Refused)
  }

  #addSession(wire: Wire, address: string): Session {
    // Clients of a Unix socket all have the same address.
    let id = address
    for (let n = 2; this.#sessions.has(id); n++) id = `${address}#${n}`
    const session = new Session(this, wire, id)
    this.#sessions.set(id, session)
    return session
  }

  async #connect(address: Address, signal: AbortSignal): Promise<Wire> {
    let failure: unknown = new Error(`${formatAddress(address)} has no address`)
    for (const candidate of await resolve(address)) {
      try {
        return await this.#transport.dial(candidate, this.settings.limits, signal)
      } catch (error) {
        failure = error
        if (signal.aborted) break
      }
    }
    throw failure
  }

  async #close(options?: { timeout?: number }): Promise<void> {
    for (const dial of this.#dials) dial.abort(new Error('the endpoint was closed'))
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
    this.#listeners.clear()
    await Promise.all([...this.#sessions.values()].map((session) => session.close(options)))
    this.#transport.busyPoll?.(this, 0)
  }

  #requireOpen(): void {
    if (this.#closed !== undefined)
      throw new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the endpoint was closed')
  }
}

/** The same address with names replaced by the addresses they have, in the system's order. */
async function resolve(address: Address): Promise<Address[]> {
  if (address.kind === 'unix' || isIP(address.host) !== 0) return [address]
  const found = await lookup(address.host, { all: true })
  return found.map(({ address: host }) => ({ kind: 'tcp', host, port: address.port }))
}
