import { duration, MAX_DURATION, optionNames, requireOptions } from '../../base/check-options.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { countOption, numberOption } from './check.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import { Notifier } from './notify.ts'
import { RetryBudget } from './retry-budget.ts'

/** Options of hedging. Durations are milliseconds. */
export interface HedgeOptions {
  /**
   * Milliseconds without a reply after which the call is made once more, on another node; or `percentile` of the
   * latencies of its method, from 0 to 1. Default: the 0.95 percentile.
   */
  delay?: number | { percentile: number } | undefined
  /** Minimum of the measured delay in milliseconds. Default: 1. */
  minDelay?: number | undefined
  /** Maximum number of additional attempts. Default: 1. */
  max?: number | undefined
  /** Limit on hedges; the same one as that of the retries, so that both together stay below it. Default: its own. */
  budget?: RetryBudget | undefined
}

/** Counts since the hedge was made. */
export interface HedgeStats {
  /** Additional attempts that were made. */
  hedges: number
  /** Additional attempts that answered first. */
  wins: number
  /** Additional attempts that the budget did not allow. */
  refused: number
}

/** Events of hedging. */
export interface HedgeEvents {
  /** An additional attempt is about to be made. */
  hedge: [event: { method: string; attempt: number }]
}

const known = optionNames<HedgeOptions>({ delay: true, minDelay: true, max: true, budget: true })
/** Number of latencies from which a percentile is trusted. */
const MIN_SAMPLES = 20
/** Number of latencies after which a delay is measured again. */
const REFRESH = 32
/** Maximum number of methods whose latencies are kept. */
const MAX_METHODS = 1000

interface Measured {
  readonly latencies: LatencyHistogram
  delay: number
  fresh: number
}

/**
 * Sends idempotent calls once more when the reply takes longer than usual; the first reply counts. Cuts off the slowest
 * replies at the price of a few more calls, which the budget bounds.
 */
export class Hedge extends Notifier<HedgeEvents & Record<never, never>> {
  /** Counts since the hedge was made. */
  readonly stats: HedgeStats = { hedges: 0, wins: 0, refused: 0 }
  readonly #methods = new Map<string, Measured>()
  #given: HedgeOptions = {}
  #budget: RetryBudget
  #fixed = 0
  #percentile = 0
  #minDelay = 0
  #max = 0

  /** @throws TypeError or RangeError that names the option */
  constructor(options: HedgeOptions = {}, clock: Pick<Clock, 'now'> = realClock) {
    super()
    this.#budget = options?.budget ?? new RetryBudget({}, clock)
    this.update(options)
  }

  /**
   * Changes the given options; others stay as they are.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: HedgeOptions): void {
    requireOptions('option hedge', options, known, 'hedge.')
    const given = { ...this.#given, ...options }
    const { delay = { percentile: 0.95 }, budget } = given
    const measured = typeof delay === 'object'
    const fixed = measured ? 0 : duration('hedge.delay', delay, 0, 0)
    const percentile = measured ? numberOption('hedge.delay.percentile', delay?.percentile, Number.NaN, 0, 1) : 0
    if (Number.isNaN(percentile)) throw new RangeError('option hedge.delay must be milliseconds or { percentile }')
    const minDelay = duration('hedge.minDelay', given.minDelay, 1, 0)
    const max = countOption('hedge.max', given.max, 1, 0)
    if (budget !== undefined && !(budget instanceof RetryBudget)) throw new TypeError('option hedge.budget must be a RetryBudget')
    if (percentile !== this.#percentile || minDelay !== this.#minDelay) this.#methods.clear()
    this.#given = given
    this.#fixed = fixed
    this.#percentile = percentile
    this.#minDelay = minDelay
    this.#max = max
    if (budget !== undefined) this.#budget = budget
  }

  /** The limit on hedges. */
  get budget(): RetryBudget {
    return this.#budget
  }

  /**
   * Milliseconds after which an additional attempt may be made; -1 for never.
   *
   * @param attempts attempts made so far, at least 1
   */
  delay(method: string, attempts = 1): number {
    if (attempts > this.#max) return -1
    if (this.#percentile === 0) return this.#fixed
    const known = this.#methods.get(method)
    return known === undefined || known.latencies.count < MIN_SAMPLES ? -1 : known.delay
  }

  /**
   * Takes an additional attempt from the budget, when the delay is over and there was no reply.
   *
   * @param attempt number of the attempt, from 2
   * @returns whether it may be made
   */
  tryHedge(method: string, attempt = 2): boolean {
    if (!this.#budget.tryRetry()) {
      this.stats.refused++
      return false
    }
    this.stats.hedges++
    this.notify('hedge', { method, attempt })
    return true
  }

  /**
   * Learns from the attempt that answered first. Attempts that were given up say nothing.
   *
   * @param latency milliseconds since that attempt was sent
   * @param attempt its number, from 1
   */
  onReply(method: string, latency: number, attempt = 1): void {
    if (attempt > 1) this.stats.wins++
    if (this.#percentile === 0) return
    let known = this.#methods.get(method)
    if (known === undefined) {
      if (this.#methods.size >= MAX_METHODS) return
      this.#methods.set(method, (known = { latencies: new LatencyHistogram(), delay: -1, fresh: 0 }))
    }
    known.latencies.add(latency)
    if (known.fresh-- > 0) return
    const { count } = known.latencies
    known.fresh = count < MIN_SAMPLES ? 0 : REFRESH
    if (count >= MIN_SAMPLES) known.delay = Math.min(MAX_DURATION, Math.max(this.#minDelay, known.latencies.percentile(this.#percentile)))
  }
}
