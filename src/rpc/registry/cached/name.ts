import { runInRoot } from '../../../base/async/root-context.ts'
import type { Logger } from '../../../base/log.ts'
import type { Clock, ClockTimer } from '../../../base/time/clock.ts'
import { pause } from '../../../base/time/pause.ts'
import { retryDelay } from '../../../base/time/retry-delay.ts'
import { registryClosed, registryLost } from '../errors.ts'
import { countNodes, sameServices } from '../record.ts'
import type { Registry, Service } from '../registry.ts'
import { Readers, type SnapshotReader } from '../snapshots.ts'

/** Options of `cachedRegistry` with their defaults filled in. Durations are milliseconds. */
export interface CacheSettings {
  readonly ttl: number
  readonly emptyGrace: number
  readonly minDelay: number
  readonly maxDelay: number
  readonly clock: Clock
  readonly log: Logger
}

/** Milliseconds after which a watch counts as stable: when it is lost then, the backoff starts from the beginning. */
const STABLE_AFTER_MS = 5_000

/** The last known services of one name, and the watch that keeps them current. */
export class CachedName {
  readonly readers = new Readers()
  readonly #name: string
  readonly #registry: Registry
  readonly #settings: CacheSettings
  readonly #controller = new AbortController()
  /** Last known services; undefined until the registry answered once. */
  #services: readonly Service[] | undefined
  /** By the clock. What is older is served all the same, and refreshed. */
  #freshUntil = Number.NEGATIVE_INFINITY
  /** Whether the watch delivers changes now. */
  #watching = false
  /** Number of answers of the watch, by which a lookup knows that its own is outdated. */
  #watched = 0
  #lookup: Promise<readonly Service[]> | undefined
  /** Lookups that failed in a row. */
  #failures = 0
  #error: unknown
  /** No lookup before this time, because the last one failed. */
  #retryAt = Number.NEGATIVE_INFINITY
  #grace: ClockTimer | undefined
  /** Whether the log knows that the watch is lost. */
  #lossLogged = false

  constructor(name: string, registry: Registry, settings: CacheSettings) {
    this.#name = name
    this.#registry = registry
    this.#settings = settings
    // The watch serves all callers, so it must not run in the async context of the first one.
    runInRoot(() => void this.#watch(), undefined)
  }

  /** Whether somebody waits for this name, so that it must not be forgotten. */
  get isWanted(): boolean {
    return this.readers.size > 0 || this.#lookup !== undefined
  }

  /** The services: at once when anything is known, however old it is. */
  get(): Promise<readonly Service[]> {
    const services = this.#services
    const now = this.#settings.clock.now()
    if (services === undefined) return now < this.#retryAt ? Promise.reject(this.#error) : this.#refresh()
    if ((!this.#watching || now >= this.#freshUntil) && now >= this.#retryAt) this.#refresh().catch(() => {})
    return Promise.resolve(services)
  }

  addReader(reader: SnapshotReader): void {
    this.readers.add(reader)
    if (this.#services !== undefined) reader.set(this.#services)
  }

  /** Ends the watch and everything else that runs. */
  stop(): void {
    const error = registryClosed(this.#registry.name)
    this.#stopGrace()
    this.#controller.abort(error)
    this.readers.fail(error)
  }

  /** One lookup at a time, whoever wants it. */
  #refresh(): Promise<readonly Service[]> {
    this.#lookup ??= runInRoot(() => this.#find(), undefined).finally(() => {
      this.#lookup = undefined
    })
    return this.#lookup
  }

  async #find(): Promise<readonly Service[]> {
    const watched = this.#watched
    try {
      const services = await this.#registry.getService(this.#name, { signal: this.#controller.signal })
      this.#failures = 0
      this.#error = undefined
      this.#retryAt = Number.NEGATIVE_INFINITY
      if (watched === this.#watched) this.#apply(services)
    } catch (error) {
      this.#error = error
      this.#retryAt = this.#settings.clock.now() + this.#delay(this.#failures++)
      // The watch may have brought them in the meantime.
      if (this.#services === undefined) throw error
    }
    return this.#services as readonly Service[]
  }

  /** Watches until stopped, through all losses of the registry. */
  async #watch(): Promise<void> {
    const { clock } = this.#settings
    const { signal } = this.#controller
    for (let attempt = 0; !signal.aborted; ) {
      const start = clock.now()
      let reason: unknown
      try {
        for await (const services of this.#registry.watch(this.#name, { signal })) {
          if (signal.aborted) return
          this.#watching = true
          this.#watched++
          this.#apply(services)
          this.#logFound()
        }
        reason = 'the watch ended'
      } catch (error) {
        reason = error
      }
      this.#watching = false
      if (signal.aborted) return
      // Nobody can confirm now that there is no node any more.
      this.#stopGrace()
      this.#logLoss(reason)
      if (clock.now() - start >= STABLE_AFTER_MS) attempt = 0
      await pause(clock, this.#delay(attempt++), signal)
    }
  }

  /** Takes an answer of the registry. An empty one is believed only after a while when there were nodes before. */
  #apply(services: readonly Service[]): void {
    const { clock, ttl, emptyGrace } = this.#settings
    this.#freshUntil = clock.now() + ttl
    const removesAll = countNodes(services) === 0 && this.#services !== undefined && countNodes(this.#services) > 0
    if (!removesAll || emptyGrace === 0) {
      this.#store(services)
      return
    }
    this.#grace ??= clock.setTimeout(() => this.#store(services), emptyGrace)
    this.#grace.unref()
  }

  #store(services: readonly Service[]): void {
    this.#stopGrace()
    if (this.#services !== undefined && sameServices(this.#services, services)) return
    this.#services = services
    this.readers.set(services)
  }

  #stopGrace(): void {
    this.#settings.clock.clearTimeout(this.#grace)
    this.#grace = undefined
  }

  /** Milliseconds until the next attempt. */
  #delay(attempt: number): number {
    const { minDelay, maxDelay, clock } = this.#settings
    return retryDelay(attempt, minDelay, maxDelay, clock)
  }

  #logLoss(reason: unknown): void {
    if (this.#lossLogged) return
    this.#lossLogged = true
    const nodes = countNodes(this.#services ?? [])
    const { cause } = registryLost(this.#registry.name, reason)
    this.#settings.log.warn('registry lost, its last answer is used', { service: this.#name, nodes, error: cause })
  }

  #logFound(): void {
    if (!this.#lossLogged) return
    this.#lossLogged = false
    this.#settings.log.info('registry is back', { registry: this.#registry.name, service: this.#name })
  }
}
