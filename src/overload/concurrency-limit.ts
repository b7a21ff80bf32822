/** Milliseconds between two looks at the limit, if so many samples came. */
const WINDOW = 100
const MIN_SAMPLES = 10
/** With fewer samples a look comes after so long. */
const LONG_WINDOW = 1000
/** So many times as long as usual may calls take before fewer of them may run at once. */
const TOLERANCE = 1.5
/** Milliseconds by which latencies differ because of how the loop is shared, not because of load. */
const GRAIN = 2
/** Milliseconds that the loop may be late. */
const MAX_LAG = 8
const LAG_SMOOTHING = 0.3
/** Share of the newest in what calls took lately. */
const RECENT = 0.05
/** Most that one look takes from the limit. */
const MIN_GRADIENT = 0.5
/** How fast a route's usual latency follows: down at any time, up only while nothing waits. */
const FASTER = 0.3
const SLOWER = 0.1
/** Looks under lasting load, after which half as many may run for a moment to see what calls take then: first, and at most. */
const FIRST_PROBE = 10
const MAX_PROBE = 100

/** What is known of one route. */
export class RouteLatency {
  /** What its calls take when few run, in milliseconds; 0: not known. */
  baseline = 0
  // Of this window.
  count = 0
  total = 0
  least = Infinity
}

/**
 * How many handlers may run at once: as many as can without each getting slower (a gradient, as in Netflix's concurrency-limits). Latencies
 * are compared with what is usual for their own route, so that a change in what is called changes nothing. `usual` is learnt while nothing
 * waits; under lasting load, which would drag it along, half as many run now and then for as long as it takes to measure anew. A loop that is late tells that
 * handlers use the thread itself: then fewer may run, whatever they take.
 */
export class ConcurrencyLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  #running = 0
  #peak = 0
  #lag = 0
  /** Milliseconds that calls took lately. */
  #recent = 0
  #since: number
  #samples = 0
  readonly #seen: RouteLatency[] = []
  /** Something waited since the last look. */
  #pressed = false
  /** Looks in a row at which something had waited, since the last probe, and how many make the next. */
  #pressedLooks = 0
  #probeAfter = FIRST_PROBE
  /** The limit before the probe that is on; 0: none is. */
  #restore = 0
  /** Calls that began before do not count. */
  #from = -Infinity

  constructor(min: number, max: number, start: number, now: number) {
    this.#min = min
    this.#max = max
    this.#limit = start
    this.#since = now
  }

  get value(): number {
    return this.#limit
  }

  get running(): number {
    return this.#running
  }

  /** Most that ran at once lately. */
  get peak(): number {
    return this.#peak
  }

  /** One more may begin. */
  get open(): boolean {
    return this.#running < this.#limit
  }

  /** Milliseconds between two that end, while as many run as may. */
  get perItem(): number {
    return this.#recent / this.#limit
  }

  handlerStarted(): void {
    if (++this.#running > this.#peak) this.#peak = this.#running
  }

  /** @param began when it did */
  handlerFinished(route: RouteLatency, began: number, now: number): void {
    this.#running--
    if (began >= this.#from) {
      const took = now - began
      this.#recent += (took - this.#recent) * RECENT
      if (route.count++ === 0) this.#seen.push(route)
      route.total += took
      if (took < route.least) route.least = took
      this.#samples++
    }
    const age = now - this.#since
    if (age >= WINDOW && (this.#samples >= MIN_SAMPLES || (age >= LONG_WINDOW && this.#samples > 0))) this.#adjust(now)
  }

  /** Something has to wait, for whatever reason. */
  noteQueueing(): void {
    this.#pressed = true
  }

  /** The loop came `ms` later than it should to a timer. */
  late(ms: number): void {
    this.#lag += (Math.max(0, ms) - this.#lag) * LAG_SMOOTHING
  }

  #adjust(now: number): void {
    const probed = this.#restore !== 0
    if (probed) {
      this.#limit = this.#restore
      this.#restore = 0
      this.#from = -Infinity
    }
    const gradient = this.#gradient()
    const total = this.#learn(probed)
    const mean = total / this.#samples
    const inMean = total / (now - this.#since)
    if (!probed) this.#move(gradient)
    this.#pressedLooks = this.#pressed ? this.#pressedLooks + 1 : 0
    this.#samples = 0
    this.#since = now
    this.#peak = this.#running
    this.#pressed = false
    if (this.#pressedLooks >= this.#probeAfter) this.#probe(now, mean, inMean)
  }

  /** At most 1; below: calls take longer than they should. */
  #gradient(): number {
    let allowed = 0
    let taken = 0
    for (const route of this.#seen) {
      if (route.baseline === 0) route.baseline = route.least // the first of them had the least company
      allowed += route.count * (route.baseline * TOLERANCE + GRAIN)
      taken += route.total
    }
    return taken > allowed ? Math.max(MIN_GRADIENT, allowed / taken) : 1
  }

  /** @returns what calls took together */
  #learn(probed: boolean): number {
    let total = 0
    for (const route of this.#seen) {
      const mean = route.total / route.count
      total += route.total
      if (probed) route.baseline = mean
      else if (mean < route.baseline) route.baseline += (mean - route.baseline) * FASTER
      else if (!this.#pressed) route.baseline += (mean - route.baseline) * SLOWER
      route.count = 0
      route.total = 0
      route.least = Infinity
    }
    this.#seen.length = 0
    return total
  }

  #move(gradient: number): void {
    let next = this.#limit
    // A limit that is not reached may still be too high: when handlers come in batches, or keep the thread busy.
    const slowed = gradient < 1 && this.#pressed
    if (slowed || this.#peak >= next) {
      const at = slowed ? Math.min(next, this.#peak) : next
      const wish = at * gradient + Math.max(Math.sqrt(at), at / 10)
      next = wish < next ? (next + wish) / 2 : wish
    }
    if (this.#lag > MAX_LAG && this.#peak > this.#min) {
      next = Math.min(next, this.#peak * Math.max(MIN_GRADIENT, MAX_LAG / this.#lag))
    }
    this.#limit = Math.min(this.#max, Math.max(this.#min, next))
  }

  /** @param mean milliseconds that calls take now @param inMean how many run */
  #probe(now: number, mean: number, inMean: number): void {
    this.#pressedLooks = 0
    this.#probeAfter = Math.min(MAX_PROBE, this.#probeAfter * 2)
    const halved = Math.max(this.#min, Math.min(this.#limit, inMean) / 2)
    if (halved >= this.#limit) return
    this.#restore = this.#limit
    this.#limit = halved
    this.#from = now + mean // when those that run now are over
  }
}
