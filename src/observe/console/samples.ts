import { type ClockTimer, realClock } from '../../base/time/clock.ts'
import type { CallCounts } from '../metrics/call-counts.ts'
import type { EndpointMeter } from '../metrics/meter.ts'
import { SECONDS } from './chart.ts'
import { percentile } from './percentile.ts'

const TICK_MS = 1000
/** Milliseconds between two looks at how late the event loop is, while a page is open. */
const LOOP_PERIOD_MS = 50

const kinds = ['served', 'made', 'failed', 'p50', 'p99', 'delay', 'sessions', 'inFlight'] as const
type Kind = (typeof kinds)[number]

/** Source of the samples. */
interface SampleSource {
  meters(): Iterable<EndpointMeter>
  sessions(): number
  /** Called after each sample. */
  onSample(): void
}

/** The calls of one side since the start, and their durations by bucket. */
interface Side {
  calls: number
  counts: Float64Array
}

interface Sums {
  readonly served: Side
  readonly made: Side
  readonly failed: number
}

/** Sums of each of the last seconds. An open page costs more than this, a closed one nothing. */
export class Samples {
  readonly #source: SampleSource
  readonly #rings = Object.fromEntries(kinds.map((kind) => [kind, new Float64Array(SECONDS).fill(Number.NaN)])) as Record<
    Kind,
    Float64Array
  >
  #size = 0
  #next = 0
  #tick: ClockTimer | undefined
  #loop: ClockTimer | undefined
  #at = 0
  #late = 0
  #isOpen = false
  #before: Sums | undefined

  constructor(source: SampleSource) {
    this.#source = source
  }

  start(): void {
    if (this.#tick !== undefined) return
    this.#at = realClock.now()
    this.#before = this.#read().sums
    this.#wait()
  }

  stop(): void {
    realClock.clearTimeout(this.#tick)
    this.#tick = undefined
    this.#watchLoop(false)
  }

  /** Looks at the event loop more often while a page is open. */
  open(isOpen: boolean): void {
    if (this.#isOpen === isOpen) return
    this.#isOpen = isOpen
    this.#watchLoop(isOpen)
  }

  #watchLoop(isOpen: boolean): void {
    realClock.clearTimeout(this.#loop)
    this.#loop = undefined
    if (!isOpen) return
    const due = realClock.now() + LOOP_PERIOD_MS
    this.#loop = realClock.setTimeout(() => {
      this.#late = Math.max(this.#late, realClock.now() - due)
      this.#watchLoop(true)
    }, LOOP_PERIOD_MS)
    this.#loop.unref()
  }

  #wait(): void {
    const due = realClock.now() + TICK_MS
    this.#tick = realClock.setTimeout(() => {
      const now = realClock.now()
      this.#take(now, Math.max(this.#late, now - due))
      this.#late = 0
      this.#wait()
      this.#source.onSample()
    }, TICK_MS)
    this.#tick.unref()
  }

  #take(now: number, delay: number): void {
    const seconds = Math.max((now - this.#at) / 1000, 0.001)
    this.#at = now
    const { sums, bounds, inFlight } = this.#read()
    // Durations are those of calls served, or of calls made where none was ever served.
    const side = sums.served.calls > 0 ? 'served' : 'made'
    const before = this.#before
    const counts = sums[side].counts.map((count, i) => count - (before?.[side].counts[i] ?? 0))
    this.#before = sums
    const values: Record<Kind, number> = {
      served: (sums.served.calls - (before?.served.calls ?? 0)) / seconds,
      made: (sums.made.calls - (before?.made.calls ?? 0)) / seconds,
      failed: (sums.failed - (before?.failed ?? 0)) / seconds,
      p50: percentile(counts, bounds, 0.5),
      p99: percentile(counts, bounds, 0.99),
      delay: Math.max(delay, 0),
      sessions: this.#source.sessions(),
      inFlight,
    }
    for (const kind of kinds) this.#rings[kind][this.#next] = values[kind]
    this.#next = (this.#next + 1) % SECONDS
    this.#size = Math.min(this.#size + 1, SECONDS)
  }

  /** Sums since the start. */
  #read(): { sums: Sums; bounds: Float64Array; inFlight: number } {
    let bounds = new Float64Array()
    let inFlight = 0
    const served: Side = { calls: 0, counts: new Float64Array() }
    const made: Side = { calls: 0, counts: new Float64Array() }
    let failed = 0
    for (const meter of this.#source.meters()) {
      if (bounds.length === 0) {
        bounds = new Float64Array(meter.bounds)
        for (const side of [served, made]) side.counts = new Float64Array(bounds.length + 1)
      }
      for (const [side, all] of [
        [served, meter.served],
        [made, meter.called],
      ] as const) {
        for (const counts of all.values()) {
          const bad = failures(counts)
          side.calls += counts.ok + bad
          failed += bad
          inFlight += counts.inFlight
          const durations = counts.durations.counts
          if (durations.length === side.counts.length) for (let i = 0; i < durations.length; i++) side.counts[i] += durations[i]
        }
      }
    }
    return { sums: { served, made, failed }, bounds, inFlight }
  }

  /** Values of the last seconds, the oldest first. */
  last(kind: Kind): Float64Array {
    const ring = this.#rings[kind]
    const values = new Float64Array(this.#size)
    for (let i = 0; i < this.#size; i++) values[i] = ring[(this.#next - this.#size + i + SECONDS) % SECONDS]
    return values
  }
}

/** Number of calls that failed. */
export function failures({ codes, otherCodes }: CallCounts): number {
  let sum = otherCodes
  if (codes !== undefined) for (const count of codes.values()) sum += count
  return sum
}
