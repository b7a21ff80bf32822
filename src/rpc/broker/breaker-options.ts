import { duration, optionNames, requireFunction, requireOptions } from '../../base/check-options.ts'
import { Code, StatusError } from '../../base/errors/status.ts'
import type { RuleSettings } from './breaker-rules.ts'
import { countOption, numberOption } from './check.ts'

/** The meaning of a failed call for its node: a failure, as good as a success, or none. */
export type Verdict = 'failure' | 'success' | 'ignore'

/** Options of circuit breakers. Durations are milliseconds. */
export interface BreakerOptions {
  /**
   * `adaptive` rejects the share of calls that the node would fail; `classic` rejects all for a time. Default:
   * `adaptive`.
   */
  kind?: 'adaptive' | 'classic' | undefined
  /** Milliseconds over which results count. Default: 10,000. */
  window?: number | undefined
  /** Number of parts of the window, which are forgotten one by one. Default: 40. */
  buckets?: number | undefined
  /** Number of results in the window below which no call is rejected. Default: 5; 20 for `classic`. */
  minVolume?: number | undefined
  /** Adaptive: calls are sent up to this multiple of those that succeed. Default: 1.5. */
  k?: number | undefined
  /** Adaptive: milliseconds after which one call is sent in any case. Default: 1,000. */
  probeEvery?: number | undefined
  /** Classic: share of failures from which the breaker is open, above 0, up to 1. Default: 0.5. */
  threshold?: number | undefined
  /** Classic: number of failures in a row from which the breaker is open. Default: none. */
  consecutive?: number | undefined
  /** Classic: milliseconds for which the breaker is open. Default: 10,000. */
  openFor?: number | undefined
  /** Classic: number of calls that are sent after that time, and must all succeed. Default: 1. */
  probes?: number | undefined
  /**
   * Meaning of an error for the node. Default: 102, 104, 105, 408 and 500 to 599 are failures; 499 and errors that are
   * no `StatusError` say nothing; all others are as good as a success, because the node answered.
   */
  verdict?: ((error: unknown) => Verdict) | undefined
  /** Maximum number of breakers. Beyond it the oldest is forgotten. Default: 10,000. */
  maxBreakers?: number | undefined
  /** Milliseconds after which a breaker without calls is forgotten. Default: 60,000. */
  idle?: number | undefined
}

/** `BreakerOptions`, complete and checked. */
export interface BreakerSettings extends RuleSettings {
  readonly adaptive: boolean
  readonly verdict: (error: unknown) => Verdict
  readonly maxBreakers: number
  readonly idle: number
}

const known = optionNames<BreakerOptions>({
  kind: true,
  window: true,
  buckets: true,
  minVolume: true,
  k: true,
  probeEvery: true,
  threshold: true,
  consecutive: true,
  openFor: true,
  probes: true,
  verdict: true,
  maxBreakers: true,
  idle: true,
})

const FAILURES: ReadonlySet<number> = new Set([Code.ConnectionClosed, Code.WriteFailed, Code.DialFailed, Code.HandleTimeout])

/** The default of `BreakerOptions.verdict`. */
export function verdictOf(error: unknown): Verdict {
  if (!(error instanceof StatusError) || error.code === Code.Canceled) return 'ignore'
  return FAILURES.has(error.code) || (error.code >= 500 && error.code < 600) ? 'failure' : 'success'
}

/**
 * Checks the options and adds the defaults.
 *
 * @throws TypeError or RangeError that names the option
 */
export function readBreakerOptions(options: BreakerOptions): BreakerSettings {
  requireOptions('option breaker', options, known, 'breaker.')
  const { kind = 'adaptive', verdict = verdictOf } = options
  if (kind !== 'adaptive' && kind !== 'classic') throw new TypeError("option breaker.kind must be 'adaptive' or 'classic'")
  requireFunction('breaker.verdict', verdict)
  const adaptive = kind === 'adaptive'
  const buckets = countOption('breaker.buckets', options.buckets, 40, 1)
  if (buckets > 10_000) throw new RangeError('option breaker.buckets must be at most 10,000')
  const { consecutive } = options
  return {
    adaptive,
    window: duration('breaker.window', options.window, 10_000, 1),
    buckets,
    minVolume: countOption('breaker.minVolume', options.minVolume, adaptive ? 5 : 20, 1),
    k: numberOption('breaker.k', options.k, 1.5, 1, 1000),
    probeEvery: duration('breaker.probeEvery', options.probeEvery, 1000, 1),
    threshold: numberOption('breaker.threshold', options.threshold, 0.5, Number.MIN_VALUE, 1),
    consecutive: consecutive === undefined ? Number.POSITIVE_INFINITY : countOption('breaker.consecutive', consecutive, 1, 1),
    openFor: duration('breaker.openFor', options.openFor, 10_000, 1),
    probes: countOption('breaker.probes', options.probes, 1, 1),
    verdict,
    maxBreakers: countOption('breaker.maxBreakers', options.maxBreakers, 10_000, 1),
    idle: duration('breaker.idle', options.idle, 60_000, 1),
  }
}
