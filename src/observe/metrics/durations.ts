import type { Clock } from '../../base/time/clock.ts'
import { wallTime } from '../../base/time/clock.ts'

/** The call in a bucket that its trace can explain. */
export interface Exemplar {
  /** W3C `traceparent`, not checked. */
  readonly trace: string
  readonly ms: number
  /** Time of day in milliseconds. */
  readonly at: number
}

/** A histogram of durations. */
export class Durations {
  /** Upper bounds of the buckets in milliseconds, rising. The last bucket has none. */
  readonly bounds: Float64Array
  /** Number of durations by bucket, not cumulative. */
  readonly counts: Float64Array
  /** Sum in milliseconds. */
  sum = 0
  /** The last exemplar of each bucket; undefined before the first. */
  exemplars: (Exemplar | undefined)[] | undefined

  constructor(bounds: Float64Array) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** Adds `count` durations of `ms`. */
  add(ms: number, count: number): void {
    this.counts[this.#bucket(ms)] += count
    this.sum += ms * count
  }

  explain(ms: number, trace: string, clock: Clock): void {
    this.exemplars ??= []
    this.exemplars[this.#bucket(ms)] = { trace, ms, at: wallTime(clock) }
  }

  #bucket(ms: number): number {
    const { bounds } = this
    let i = 0
    while (i < bounds.length && ms > bounds[i]) i++
    return i
  }
}
