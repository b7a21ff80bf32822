import { runInRoot } from '../base/async/root-context.ts'
import { reasonOf } from '../base/errors/error-text.ts'
import type { Logger } from '../base/log.ts'
import { type Clock, type ClockTimer, turn } from '../base/time/clock.ts'
import { pause } from '../base/time/pause.ts'
import { retryDelay } from '../base/time/retry-delay.ts'
import { bounded } from './bounded.ts'
import type { Registry, Service, ServiceNode } from './registry/registry.ts'

/** Milliseconds that one operation of the registry may take. */
const ATTEMPT_MS = 5_000
/** Milliseconds that a server which closes waits for an attempt that is under way, then for the deregistration. */
const CLOSE_MS = 2_000
/** Delay after the first failed attempt; each further one doubles it. */
const MIN_RETRY_MS = 100
const MAX_RETRY_MS = 10_000
/** Shortest time between two records that are put in again because somebody took them out. */
const RESTORE_MS = 1_000

/** Counts of a server's registrations since it was started. */
export interface RegistrationStats {
  /** Registrations and renewals that the registry took. */
  succeeded: number
  /** Registrations and renewals that failed, or took longer than 5 seconds. */
  failed: number
  /** Times that somebody took the record out. */
  removed: number
}

interface RegistrarSettings {
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds between two registrations. */
  readonly interval: number
  readonly ttl: number
  /** The service as it is now. */
  readonly service: () => Service
  readonly onRegistered: (service: Service) => void
  readonly onFailed: (error: unknown) => void
}

/**
 * Keeps a service in its registry: puts it in, renews it before its time to live is over, and again when a route came,
 * when the registry was away, or when somebody took the record out. That may be another server of the same address, an
 * older process that leaves.
 */
export class Registrar {
  readonly stats: RegistrationStats = { succeeded: 0, failed: 0, removed: 0 }
  readonly #settings: RegistrarSettings
  /** Ends what runs: the waits, the watch. */
  readonly #abort = new AbortController()
  /** Ends an attempt that is under way. */
  readonly #hurry = new AbortController()
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined
  /** Whether there is something to write before the next interval. */
  #due = false
  #registered = false
  #failures = 0
  /** Nodes that were put in, by id. The address of a host may change, and with it the id of its node. */
  readonly #nodes = new Map<string, ServiceNode>()

  constructor(settings: RegistrarSettings) {
    this.#settings = settings
  }

  /** Whether the record was in the registry at the last attempt. */
  get registered(): boolean {
    return this.#registered
  }

  /** Begins. Resolves when the first attempt is over, also when it failed: then the next ones follow by themselves. */
  async start(): Promise<void> {
    // Outside of the caller's async context, since both outlive the call.
    const first = runInRoot(this.#attempt, this)
    this.#running = runInRoot(this.#run, this, first)
    void runInRoot(this.#watch, this)
    await first
  }

  /** Writes the record again soon, because it has changed. */
  refresh(): void {
    this.#due = true
    this.#wake?.()
  }

  /** Takes the record out. Nothing puts it in again, and nothing is thrown. */
  async stop(): Promise<void> {
    if (this.#abort.signal.aborted) return
    const { registry, clock, log, service } = this.#settings
    this.#abort.abort(new Error('the server is closing'))
    this.#wake?.()
    if (this.#running === undefined) return
    // Behind a registration that is under way, which would put the record in again.
    const timer = clock.setTimeout(() => this.#hurry.abort(new Error('the server is closing')), CLOSE_MS)
    await this.#running
    clock.clearTimeout(timer)
    this.#registered = false
    try {
      const all = { ...service(), nodes: [...this.#nodes.values()] }
      await bounded(clock, CLOSE_MS, 'deregistering', (signal) => registry.deregister(all, { signal }))
    } catch (error) {
      log.warn('not deregistered', { service: service().name, registry: registry.name, error: reasonOf(error) })
    }
  }

  async #run(first: Promise<void>): Promise<void> {
    await first
    while (!this.#abort.signal.aborted) {
      await this.#pause()
      await turn() // the routes of one turn are one change
      if (!this.#abort.signal.aborted) await this.#attempt()
    }
  }

  async #attempt(): Promise<void> {
    const { registry, clock, log, ttl } = this.#settings
    const service = this.#settings.service()
    this.#due = false
    // An attempt that fails may have put them in all the same.
    for (const node of service.nodes) this.#nodes.set(node.id, node)
    try {
      await bounded(clock, ATTEMPT_MS, 'registering', (signal) => registry.register(service, { ttl, signal }), this.#hurry.signal)
    } catch (error) {
      this.#registered = false
      this.stats.failed++
      if (this.#failures++ === 0)
        log.warn('not registered, will be tried again', { service: service.name, registry: registry.name, error: reasonOf(error) })
      this.#settings.onFailed(error)
      return
    }
    this.#registered = true
    this.stats.succeeded++
    if (this.#failures > 0) log.info('registered again', { service: service.name, registry: registry.name, failures: this.#failures })
    this.#failures = 0
    this.#settings.onRegistered(service)
    await this.#takeOutOld(service)
  }

  /** Takes out nodes that the service no longer has, which nobody would reach. */
  async #takeOutOld(service: Service): Promise<void> {
    const { registry, clock, log } = this.#settings
    const ids = new Set(service.nodes.map(({ id }) => id))
    const nodes = [...this.#nodes.values()].filter(({ id }) => !ids.has(id))
    if (nodes.length === 0) return
    const old = { ...service, nodes }
    try {
      await bounded(clock, ATTEMPT_MS, 'deregistering', (signal) => registry.deregister(old, { signal }), this.#hurry.signal)
      for (const { id } of nodes) this.#nodes.delete(id)
    } catch (error) {
      log.warn('an old address is still registered', { service: service.name, registry: registry.name, error: reasonOf(error) })
    }
  }

  /** Waits for the next attempt. */
  #pause(): Promise<void> {
    const { clock, interval } = this.#settings
    if (this.#due || this.#abort.signal.aborted) return Promise.resolve()
    const delay = this.#failures === 0 ? interval : retryDelay(this.#failures - 1, MIN_RETRY_MS, Math.min(MAX_RETRY_MS, interval), clock)
    return new Promise((resolve) => {
      let timer: ClockTimer | undefined
      this.#wake = () => {
        clock.clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      timer = clock.setTimeout(this.#wake, delay)
      timer.unref()
    })
  }

  /** Notices when the record vanishes. A registry that cannot be watched is as good as one where nothing vanishes. */
  async #watch(): Promise<void> {
    const { registry, clock, log, service } = this.#settings
    const { signal } = this.#abort
    let seen = false
    let last = Number.NEGATIVE_INFINITY
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for await (const services of registry.watch(service().name, { signal })) {
          failures = 0
          const present = this.#isIn(services)
          if (!present && seen && this.#registered) {
            await pause(clock, Math.max(0, last + RESTORE_MS - clock.now()), signal)
            if (signal.aborted) return
            last = clock.now()
            this.stats.removed++
            log.warn('somebody took this server out of the registry', { service: service().name, registry: registry.name })
            this.refresh()
          }
          seen = present
        }
      } catch (error) {
        if (failures === 0 && !signal.aborted)
          log.debug('the registry is not watched', { service: service().name, registry: registry.name, error: reasonOf(error) })
      }
      if (signal.aborted) return
      await pause(clock, retryDelay(failures, MIN_RETRY_MS, MAX_RETRY_MS, clock), signal)
    }
  }

  #isIn(services: readonly Service[]): boolean {
    const ids = new Set(services.flatMap(({ nodes }) => nodes.map(({ id }) => id)))
    return this.#settings.service().nodes.every(({ id }) => ids.has(id) || !this.#nodes.has(id))
  }
}
