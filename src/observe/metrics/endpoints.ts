import type { Endpoint } from '../../endpoint/endpoint.ts'
import { settingsOf } from '../../endpoint/settings-of.ts'
import type { PluginContainer } from '../../hooks/plugin.ts'
import { type EndpointLoad, type EndpointStats, newStats } from '../../overload/endpoint-stats.ts'
import type { Visitor } from './family.ts'
import type { EndpointMeter } from './meter.ts'
import { PartCounts } from './parts.ts'

/** The endpoints that one plugin measures. */
export class EndpointSet {
  readonly #meter: EndpointMeter
  readonly #open = new Set<Endpoint>()
  /** Counters of endpoints that are closed, without which a counter would fall. */
  readonly #past = newStats()
  readonly #parts: PartCounts
  readonly #closing = new Set<Endpoint>()
  /** The endpoints that have listened, by their plugins: the hook about it does not name its endpoint. */
  readonly #listening = new WeakSet<PluginContainer>()
  #hasListened = false

  constructor(meter: EndpointMeter) {
    this.#meter = meter
    this.#parts = new PartCounts(meter.service)
  }

  get size(): number {
    return this.#open.size
  }

  add(endpoint: Endpoint): void {
    if (this.#open.size === 0) this.#hasListened = false
    this.#open.add(endpoint)
    const settings = settingsOf(endpoint)
    // An access log stands before the meter, whichever of them is named first.
    if (settings.meter?.inner === null) settings.meter.inner = this.#meter
    else settings.meter = this.#meter
  }

  listens(plugins: PluginContainer): void {
    this.#listening.add(plugins)
    this.#hasListened = true
  }

  closing(endpoint: Endpoint): void {
    this.#closing.add(endpoint)
  }

  remove(endpoint: Endpoint): void {
    this.#closing.delete(endpoint)
    if (!this.#open.delete(endpoint)) return
    addStats(this.#past, endpoint.stats)
    this.#parts.closed(endpoint, this.#open)
  }

  /** Visits the series of clients, servers and plugins with limits. */
  parts(visitor: Visitor): Iterable<void> {
    return this.#parts.visit(this.#open, visitor)
  }

  /**
   * Whether none is closing, and one is open that has listened; or that has dialled, where none has ever listened: a
   * process whose server is closed serves no more, whatever else it has open.
   */
  get isReady(): boolean {
    if (this.#closing.size > 0) return false
    return [...this.#open].some(({ plugins, stats }) => (this.#hasListened ? this.#listening.has(plugins) : stats.dialled > 0))
  }

  get sessions(): number {
    let sum = 0
    for (const { sessionCount } of this.#open) sum += sessionCount
    return sum
  }

  get stats(): EndpointStats {
    const sum = newStats()
    addStats(sum, this.#past)
    for (const { stats } of this.#open) addStats(sum, stats)
    return sum
  }

  /** Load of all endpoints together, with the longest wait; undefined when none has overload protection. */
  get load(): EndpointLoad | undefined {
    let sum: EndpointLoad | undefined
    for (const { load } of this.#open) {
      if (load === undefined) continue
      sum ??= { running: 0, concurrency: 0, queued: 0, wait: 0 }
      sum.running += load.running
      sum.concurrency += load.concurrency
      sum.queued += load.queued
      sum.wait = Math.max(sum.wait, load.wait)
    }
    return sum
  }
}

function addStats(sum: EndpointStats, more: EndpointStats): void {
  for (const name of Object.keys(sum) as (keyof EndpointStats)[]) sum[name] += more[name]
}
