import { EventEmitter } from 'node:events'
import { closeTimeout } from '../base/check-options.ts'
import { describe } from '../base/errors/error-text.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { sleep } from '../base/time/sleep.ts'
import type { Listener } from '../endpoint/connect-options.ts'
import { Endpoint } from '../endpoint/endpoint.ts'
import type { RouteGroup } from '../endpoint/router.ts'
import { settingsOf } from '../endpoint/settings-of.ts'
import type { Plugin } from '../hooks/plugin.ts'
import { heartbeatPong } from '../plugins/heartbeat.ts'
import type { Session } from '../session/session.ts'
import { noteOwner } from './endpoint-owner.ts'
import { addressOfUrl, reachableUrl } from './node-address.ts'
import { Registrar, type RegistrationStats } from './registrar.ts'
import type { Service } from './registry/registry.ts'
import { type RouteList, routeList } from './route-list.ts'
import { type RpcServerOptions, readServerOptions, requireService, type ServerSettings } from './server-options.ts'

/** Where a server is in its life. */
export type RpcServerState = 'new' | 'starting' | 'running' | 'closing' | 'closed'

/** Events of a server, with the arguments of their listeners. */
export interface RpcServerEvents {
  /** A client connected, and its session runs. */
  session: [session: Session]
  /** The service is in the registry, for the first time or again. */
  registered: [service: Service]
  /** An attempt to register failed; the next one follows by itself. */
  registrationFailed: [error: unknown]
  /** The state changed. */
  state: [state: RpcServerState]
}

/**
 * A service: an endpoint that listens and is in a registry, where clients find it by its name (docs/services.md).
 *
 * @example
 * const server = new RpcServer('math', { listen: 'tcp://127.0.0.1:0', registry: memoryRegistry() })
 * server.routeCall('/math/add', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
 * await server.start()
 */
export class RpcServer extends EventEmitter<RpcServerEvents> {
  /** Name of the service. */
  readonly name: string
  /** The endpoint that serves. */
  readonly endpoint: Endpoint
  readonly #settings: ServerSettings
  readonly #routes: RouteList
  readonly #registrar: Registrar | undefined
  #listeners: Listener[] = []
  #state: RpcServerState = 'new'
  #started: Promise<void> | undefined
  #closed: Promise<void> | undefined

  /**
   * Makes a server, which does not listen yet.
   *
   * @throws TypeError or RangeError for a bad name or option, and as `new Endpoint`
   */
  constructor(name: string, options: RpcServerOptions = {}) {
    super()
    requireService(name)
    const settings = readServerOptions(options)
    const { heartbeat, registry } = settings
    this.name = name
    this.#settings = settings
    this.#routes = routeList(
      (route) => heartbeat !== undefined && route === '/heartbeat',
      () => this.#registrar?.refresh(),
    )
    const own: Plugin[] = heartbeat === undefined ? [this.#routes] : [heartbeatPong(heartbeat), this.#routes]
    this.endpoint = new Endpoint({ ...settings.endpoint, plugins: [...(settings.endpoint.plugins ?? []), ...own] })
    this.endpoint.on('session', (session) => this.#emitSafely('session', session))
    noteOwner(this.endpoint, { server: this })
    if (registry !== undefined) {
      this.#registrar = new Registrar({
        registry,
        clock: this.endpoint.clock,
        log: this.endpoint.log,
        interval: settings.leasesInterval,
        ttl: settings.ttl,
        service: () => this.service,
        onRegistered: (service) => this.#emitSafely('registered', service),
        onFailed: (error) => this.#emitSafely('registrationFailed', error),
      })
    }
  }

  /** Where the server is in its life. */
  get state(): RpcServerState {
    return this.#state
  }

  /** Version of the service. */
  get version(): string {
    return this.#settings.version
  }

  /**
   * The url of the first listener as others can dial it: an unspecified host is replaced by an address of this host.
   *
   * @throws Error before `start` and after `close`
   */
  get url(): string {
    return this.urls[0] ?? notListening()
  }

  /** The urls of all listeners, as `url`; none before `start`. */
  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => reachableUrl(url))
  }

  /** The service as the registry gets it; without nodes before `start`. */
  get service(): Service {
    const { version, metadata, advertise, registry } = this.#settings
    const addresses = advertise ?? this.urls.slice(0, 1).map(addressOfUrl)
    const paths = [...this.#routes.names]
    const own = { registry: registry?.name ?? 'none', server: this.name }
    const nodes = addresses.map((address) => ({
      id: `${this.name}-${address}`,
      address,
      paths,
      metadata: { ...own, ...metadata },
    }))
    return { name: this.name, version, metadata: {}, nodes: this.#listeners.length === 0 ? [] : nodes }
  }

  /** Whether the service was in the registry at the last attempt. */
  get registered(): boolean {
    return this.#registrar?.registered ?? false
  }

  /** Counts of the registrations; undefined without a registry. */
  get registrations(): RegistrationStats | undefined {
    return this.#registrar?.stats
  }

  /** As `Endpoint.routeCall`; routes that come later are published too. */
  get routeCall(): Endpoint['routeCall'] {
    return bound(this.endpoint, this.endpoint.routeCall)
  }

  /** As `Endpoint.routePush`. */
  get routePush(): Endpoint['routePush'] {
    return bound(this.endpoint, this.endpoint.routePush)
  }

  /** As `Endpoint.serve`; the registry learns of the routes. */
  get serve(): Endpoint['serve'] {
    return bound(this.endpoint, this.endpoint.serve)
  }

  /** As `Endpoint.group`. */
  group(prefix: string, ...plugins: Plugin[]): RouteGroup {
    return this.endpoint.group(prefix, ...plugins)
  }

  /** As `Endpoint.setUnknownCall`. The registry does not learn of it. */
  get setUnknownCall(): Endpoint['setUnknownCall'] {
    return bound(this.endpoint, this.endpoint.setUnknownCall)
  }

  /** As `Endpoint.setUnknownPush`. The registry does not learn of it. */
  get setUnknownPush(): Endpoint['setUnknownPush'] {
    return bound(this.endpoint, this.endpoint.setUnknownPush)
  }

  /** Finds the session with this id; undefined when there is none, or it is closed. */
  session(id: string): Session | undefined {
    return this.endpoint.session(id)
  }

  /** Iterates over the sessions that are not closed, to push to clients. */
  sessions(): IterableIterator<Session> {
    return this.endpoint.sessions()
  }

  /** Number of sessions that are not closed. */
  get sessionCount(): number {
    return this.endpoint.sessionCount
  }

  /**
   * Listens, waits for `ready`, and registers. Resolves after the first attempt to register: one that failed is logged,
   * and repeated in the background.
   *
   * @throws (rejects) as `Endpoint.listen`, and what `ready` fails with; then it does not listen, and may be started
   *   again
   * @throws StatusError (rejects) 102 when the server is closed
   */
  start(): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(closedError())
    this.#started ??= this.#start()
    return this.#started
  }

  async #start(): Promise<void> {
    this.#enter('starting')
    try {
      for (const { url, ...options } of this.#settings.listen) this.#listeners.push(await this.endpoint.listen(url, options))
      await this.#settings.ready?.()
    } catch (error) {
      const listeners = this.#listeners
      this.#listeners = []
      await Promise.all(listeners.map((listener) => listener.close()))
      this.#started = undefined
      if (this.#closed === undefined) this.#enter('new')
      throw error
    }
    if (this.#closed !== undefined) throw closedError()
    await this.#registrar?.start()
    if (this.#closed === undefined) this.#enter('running')
  }

  /**
   * Deregisters, serves on for `drainDelay`, then closes as `Endpoint.close` does: what runs ends first.
   *
   * @param options.timeout milliseconds to wait for running handlers and open calls; default: `closeTimeout`
   * @throws RangeError for a bad timeout; TypeError for other options
   */
  close(options?: { timeout?: number | undefined }): Promise<void> {
    closeTimeout(options, 0)
    this.#closed ??= this.#close(options)
    return this.#closed
  }

  async #close(options: { timeout?: number | undefined } | undefined): Promise<void> {
    this.#enter('closing')
    const { drainDelay } = this.#settings
    const wasRegistered = this.#registrar?.registered === true
    await this.#registrar?.stop()
    if (wasRegistered && drainDelay > 0) await sleep(settingsOf(this.endpoint).clock, drainDelay)
    await this.endpoint.close(options)
    this.#listeners = []
    this.#enter('closed')
  }

  #enter(state: RpcServerState): void {
    this.#state = state
    this.#emitSafely('state', state)
  }

  /** Emits an event. An exception of a listener is logged. */
  #emitSafely<Name extends keyof RpcServerEvents>(name: Name, ...args: RpcServerEvents[Name]): void {
    try {
      ;(this.emit as (name: string, ...args: unknown[]) => boolean).call(this, name, ...args)
    } catch (error) {
      this.endpoint.log.error('a listener of a server threw', { event: name, error: describe(error) })
    }
  }
}

function bound<F extends (...args: never[]) => unknown>(endpoint: Endpoint, method: F): F {
  return method.bind(endpoint) as F
}

function closedError(): StatusError {
  return new StatusError(Code.ConnectionClosed, statusText(Code.ConnectionClosed), 'the server was closed')
}

function notListening(): never {
  throw new Error('the server does not listen')
}
