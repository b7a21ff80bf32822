import type { Buckets } from './family.ts'

/** Bounds of Go DMicro's histograms, in milliseconds. */
const GO_BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000]
/** Bounds of our histograms by default, in seconds. */
export const DEFAULT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MAX_BOUNDS = 100

/** The buckets that are counted, which both kinds of histograms are shown from. */
export interface BucketPlan {
  /** Bounds in milliseconds. */
  readonly bounds: Float64Array
  readonly seconds: Buckets
  /** Undefined without Go's metrics. */
  readonly go: Buckets | undefined
}

/**
 * Checks the option `buckets`.
 *
 * @param seconds bounds of our histograms
 * @throws TypeError or RangeError for bad bounds
 */
export function planBuckets(seconds: readonly number[], withGo: boolean): BucketPlan {
  if (!Array.isArray(seconds) || seconds.length === 0 || seconds.length > MAX_BOUNDS)
    throw new TypeError(`option buckets must have 1 to ${MAX_BOUNDS} numbers of seconds`)
  seconds.forEach((bound, i) => {
    if (!(typeof bound === 'number' && bound > 0 && Number.isFinite(bound) && (i === 0 || bound > seconds[i - 1])))
      throw new RangeError(`option buckets must be seconds above 0, each larger than the one before, got ${String(bound)}`)
  })
  const ms = seconds.map((bound) => Number((bound * 1000).toPrecision(12)))
  const all = [...new Set(withGo ? [...ms, ...GO_BOUNDS] : ms)].sort((a, b) => a - b)
  const indices = (bounds: readonly number[]): number[] => bounds.map((bound) => all.indexOf(bound))
  return {
    bounds: new Float64Array(all),
    // The same text in both formats, because a series whose `le` changes is another one.
    seconds: { shown: indices(ms), le: [...seconds.map(floatText), '+Inf'], scale: 1 / 1000 },
    go: withGo ? { shown: indices(GO_BOUNDS), le: [...GO_BOUNDS.map(String), '+Inf'], scale: 1 } : undefined,
  }
}

function floatText(value: number): string {
  const text = String(value)
  return /^\d+$/.test(text) ? `${text}.0` : text
}
