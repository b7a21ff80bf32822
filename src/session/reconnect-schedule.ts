import { type Clock, realClock } from '../base/time/clock.ts'
import type { Redial } from './redial.ts'

/** Sessions of this process that wait for the same server. */
interface ReconnectGroup {
  waiting: number
  /** Most that waited, since nobody did. */
  most: number
  /** 0 to 1: where in its windows the next one tries. */
  phase: number
}

/** By url, for each clock. */
const herdsOf = new WeakMap<Clock, Map<string, ReconnectGroup>>()
/** Steps of the golden ratio lie evenly for any number of them; random places would make some moments twice as full as others. */
const STEP = (Math.sqrt(5) - 1) / 2
/** One more that waits makes the first window longer by this share of `minDelay`. */
const HERD_SHARE = 1 / 5

/**
 * When one session tries again until it has a connection that holds: once in each of a row of windows that double up to `maxDelay`, always at the same place in them, which
 * is random but for the other sessions that wait for the same server: those stand apart evenly.
 *
 * Whenever the server returns, each has one attempt within the next `maxDelay`, and all moments of it get as many. A place drawn anew for each
 * window (full jitter) would bring twice as many at its start, since whoever draws short ones tries more often; and a first window that did not
 * grow with those who wait would bring all at once to a server that returns at once.
 */
export class ReconnectSchedule {
  /** That were made so far. Counted by whoever makes them. */
  attempts = 0
  readonly #redial: Redial
  readonly #url: string
  readonly #herds: Map<string, ReconnectGroup>
  #herd: ReconnectGroup
  readonly #place: number
  /** When the window begins that is next, on a monotonic clock of milliseconds. */
  #start: number
  /** Of the window before it; 0 for none. */
  #width = 0

  /** It waits from now on. @param now by `clock` */
  constructor(redial: Redial, url: string, now: number, clock: Clock = realClock) {
    let herds = herdsOf.get(clock)
    if (herds === undefined) herdsOf.set(clock, (herds = new Map()))
    this.#redial = redial
    this.#url = url
    this.#herds = herds
    this.#herd = this.#join(clock.random)
    this.#place = this.#herd.phase = (this.#herd.phase + STEP) % 1
    this.#start = now
  }

  /** Milliseconds until the next attempt, 0 for now: to be asked again when they are over. A place that was missed by far is left out. */
  delay(now: number): number {
    const { minDelay, maxDelay } = this.#redial
    for (;;) {
      // The first one grows while others lose the server too.
      const width = Math.min(maxDelay, this.#width * 2 || Math.max(1, this.#herd.most * HERD_SHARE) * minDelay)
      const late = now - this.#start - this.#place * width
      if (late < 0) return -late
      this.#start += (1 + (width === maxDelay ? Math.floor(late / width) : 0)) * width
      this.#width = width
      if (late <= width / 2) return 0
    }
  }

  /** It waits no more. */
  end(): void {
    if (--this.#herd.waiting === 0) this.#herds.delete(this.#url)
  }

  /** It waits again, since its connection did not hold: in the windows that follow, at the same place in them. */
  again(): void {
    this.#herd = this.#join(() => this.#place)
  }

  #join(phase: () => number): ReconnectGroup {
    let herd = this.#herds.get(this.#url)
    if (herd === undefined) this.#herds.set(this.#url, (herd = { waiting: 0, most: 0, phase: phase() }))
    herd.most = Math.max(herd.most, ++herd.waiting)
    return herd
  }
}
