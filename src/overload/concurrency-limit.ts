/** Milliseconds between two adjustments of the limit, if there were `MIN_SAMPLES`. */
const WINDOW = 100
const MIN_SAMPLES = 10
/** Milliseconds between two adjustments with fewer samples. */
const LONG_WINDOW = 1000
/** Factor by which the latency may exceed the baseline before the limit is lowered. */
const TOLERANCE = 1.5
/** Milliseconds by which latencies differ without load, because handlers share the event loop. */
const GRAIN = 2
/** Milliseconds by which timers of the event loop may be late. */
const MAX_LAG = 8
const LAG_SMOOTHING = 0.3
/** Weight of the newest sample in the mean of recent latencies. */
const RECENT = 0.05
/** Smallest factor by which one adjustment lowers the limit. */
const MIN_GRADIENT = 0.5
/** Weights of a new sample in a route's baseline: downwards always, upwards only while nothing waits. */
const FASTER = 0.3
const SLOWER = 0.1
/**
 * Number of adjustments under lasting load before a probe, which halves the limit for a moment to measure the baseline:
 * at first, and at most.
 */
const FIRST_PROBE = 10
const MAX_PROBE = 100

/** Measured latency of one route. */
export class RouteLatency {
  /** Latency in milliseconds when few handlers run; 0 when not known. */
  baseline = 0
  // Samples of the current window.
  count = 0
  total = 0
  least = Infinity
}

/** A running handler, and the route it is measured for. */
export interface Ticket {
  readonly route: RouteLatency
  /** Time when it started; negative for an exempt handler. */
  readonly began: number
}

/** Ticket of all exempt handlers. */
export const exempt: Ticket = { route: new RouteLatency(), began: -1 }

/**
 * Limits how many handlers run at once, to as many as can run without slowing each other down (a gradient limit, as in
 * Netflix's concurrency-limits).
 *
 * Latencies are compared with the baseline of their own route, so a change in the mix of calls has no effect. Baselines
 * are learnt while nothing waits. Lasting load would raise them, so from time to time a probe halves the limit until
 * they are measured again. An event loop that is late shows that handlers keep the thread busy: then the limit is
 * lowered, whatever the latencies.
 */
export class ConcurrencyLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  #running = 0
  #peak = 0
  #lag = 0
  /** Mean of recent latencies in milliseconds. */
  #recent = 0
  #since: number
  #samples = 0
  readonly #seen: RouteLatency[] = []
  /** Whether something has waited since the last adjustment. */
  #queueing = false
  /**
   * Number of adjustments in a row with something waiting since the last probe, and the number that starts the next
   * probe.
   */
  #queueingRounds = 0
  #probeAfter = FIRST_PROBE
  /** The limit before the current probe; 0 when there is none. */
  #restore = 0
  /** Handlers that started before this time are not measured. */
  #from = -Infinity

  constructor(min: number, max: number, start: number, now: number) {
    this.#min = min
    this.#max = max
    this.#limit = start
    this.#since = now
  }

  /** The current limit. */
  get value(): number {
    return this.#limit
  }

  /** Number of handlers that run now. */
  get running(): number {
    return this.#running
  }

  /** Maximum number of handlers that ran at once since the last adjustment. */
  get peak(): number {
    return this.#peak
  }

  /** Whether another handler may start. */
  get open(): boolean {
    return this.#running < this.#limit
  }

  /** Milliseconds between two handlers that finish, while as many run as may. */
  get perItem(): number {
    return this.#recent / this.#limit
  }

  /** Counts a handler that starts. */
  handlerStarted(): void {
    if (++this.#running > this.#peak) this.#peak = this.#running
  }

  /**
   * Counts and measures a handler that finished.
   *
   * @param began time when it started
   */
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

  /** Notes that a message has to wait, for whatever reason. */
  noteQueueing(): void {
    this.#queueing = true
  }

  /** Notes that a timer of the event loop was `ms` milliseconds late. */
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
    this.#queueingRounds = this.#queueing ? this.#queueingRounds + 1 : 0
    this.#samples = 0
    this.#since = now
    this.#peak = this.#running
    this.#queueing = false
    if (this.#queueingRounds >= this.#probeAfter) this.#probe(now, mean, inMean)
  }

  /** Ratio of allowed to measured latency, at most 1; lower when calls take longer than they should. */
  #gradient(): number {
    let allowed = 0
    let taken = 0
    for (const route of this.#seen) {
      if (route.baseline === 0) route.baseline = route.least // the fastest call ran beside the fewest others
      allowed += route.count * (route.baseline * TOLERANCE + GRAIN)
      taken += route.total
    }
    return taken > allowed ? Math.max(MIN_GRADIENT, allowed / taken) : 1
  }

  /**
   * Updates the baselines.
   *
   * @returns sum of the latencies in milliseconds
   */
  #learn(probed: boolean): number {
    let total = 0
    for (const route of this.#seen) {
      const mean = route.total / route.count
      total += route.total
      if (probed) route.baseline = mean
      else if (mean < route.baseline) route.baseline += (mean - route.baseline) * FASTER
      else if (!this.#queueing) route.baseline += (mean - route.baseline) * SLOWER
      route.count = 0
      route.total = 0
      route.least = Infinity
    }
    this.#seen.length = 0
    return total
  }

  #move(gradient: number): void {
    let next = this.#limit
    // A limit that is not reached may still be too high, when handlers come in batches or keep the thread busy.
    const slowed = gradient < 1 && this.#queueing
    if (slowed || this.#peak >= next) {
      const at = slowed ? Math.min(next, this.#peak) : next
      const wanted = at * gradient + Math.max(Math.sqrt(at), at / 10)
      next = wanted < next ? (next + wanted) / 2 : wanted
    }
    if (this.#lag > MAX_LAG && this.#peak > this.#min) {
      next = Math.min(next, this.#peak * Math.max(MIN_GRADIENT, MAX_LAG / this.#lag))
    }
    this.#limit = Math.min(this.#max, Math.max(this.#min, next))
  }

  /**
   * Halves the limit until the baseline is measured.
   *
   * @param mean current mean latency in milliseconds
   * @param inMean mean number of running handlers
   */
  #probe(now: number, mean: number, inMean: number): void {
    this.#queueingRounds = 0
    this.#probeAfter = Math.min(MAX_PROBE, this.#probeAfter * 2)
    const halved = Math.max(this.#min, Math.min(this.#limit, inMean) / 2)
    if (halved >= this.#limit) return
    this.#restore = this.#limit
    this.#limit = halved
    this.#from = now + mean // the handlers that run now have finished by then
  }
}
