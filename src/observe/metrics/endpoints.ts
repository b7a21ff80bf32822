import type { Endpoint } from '../../endpoint/endpoint.ts'
import { settingsOf } from '../../endpoint/settings-of.ts'
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
  #hasListened = false
  #isClosing = false

  constructor(meter: EndpointMeter) {
    this.#meter = meter
    this.#parts = new PartCounts(meter.service)
  }

  get size(): number {
    return this.#open.size
  }

  add(endpoint: Endpoint): void {
    if (this.#open.size === 0) this.#isClosing = this.#hasListened = false
    this.#open.add(endpoint)
    const settings = settingsOf(endpoint)
    // An access log stands before the meter, whichever of them is named first.
    if (settings.meter?.inner === null) settings.meter.inner = this.#meter
    else settings.meter = this.#meter
  }

  listens(): void {
    this.#hasListened = true
  }

  closing(): void {
    this.#isClosing = true
  }

  remove(endpoint: Endpoint): void {
    if (!this.#open.delete(endpoint)) return
    addStats(this.#past, endpoint.stats)
    this.#parts.closed(endpoint, this.#open)
  }

  /** Visits the series of clients, servers and plugins with limits. */
  parts(visitor: Visitor): Iterable<void> {
    return this.#parts.visit(this.#open, visitor)
  }

  /** Whether an endpoint has listened or dialled, and none is closing. */
  get isReady(): boolean {
    if (this.#isClosing) return false
    return this.#hasListened || [...this.#open].some(({ stats }) => stats.dialled > 0)
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
