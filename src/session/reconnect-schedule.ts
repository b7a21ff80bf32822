import { type Clock, realClock } from '../base/time/clock.ts'
import type { Redial } from './redial.ts'

/** The sessions of this process that wait for the same server. */
interface ReconnectGroup {
  /** Number of sessions that wait. */
  waiting: number
  /** Maximum of `waiting` since the group was made. */
  most: number
  /** Place of the last session in its windows, 0 to 1. */
  phase: number
}

/** Groups by URL, for each clock. */
const groupsOf = new WeakMap<Clock, Map<string, ReconnectGroup>>()
/**
 * Step between the places of two sessions. Multiples of the golden ratio are evenly spread for any number of sessions;
 * random places would make some moments twice as full as others.
 */
const STEP = (Math.sqrt(5) - 1) / 2
/** Share of `minDelay` by which each waiting session lengthens the first window. */
const GROUP_SHARE = 1 / 5

/**
 * The times at which one session tries to reconnect, until a connection holds: one attempt in each of consecutive
 * windows, which double up to `maxDelay`. Its place in the windows is always the same. It is random, but evenly spread
 * among the sessions that wait for the same server.
 *
 * So whenever the server is up again, each session makes one attempt within the next `maxDelay`, at an even rate. A new
 * random place in each window (full jitter) would make twice as many attempts at its start, because sessions with short
 * delays try more often. A first window that did not grow with the number of sessions would bring all of them at once
 * to a server that returns at once.
 */
export class ReconnectSchedule {
  /** Number of attempts made so far, counted by the dialer. */
  attempts = 0
  readonly #redial: Redial
  readonly #url: string
  readonly #groups: Map<string, ReconnectGroup>
  #group: ReconnectGroup
  readonly #place: number
  /** Start of the next window, in milliseconds on a monotonic clock. */
  #start: number
  /** Width of the window before, in milliseconds; 0 for none. */
  #width = 0

  /**
   * Starts waiting.
   *
   * @param now by `clock`
   */
  constructor(redial: Redial, url: string, now: number, clock: Clock = realClock) {
    let groups = groupsOf.get(clock)
    if (groups === undefined) groupsOf.set(clock, (groups = new Map()))
    this.#redial = redial
    this.#url = url
    this.#groups = groups
    this.#group = this.#join(clock.random)
    this.#place = this.#group.phase = (this.#group.phase + STEP) % 1
    this.#start = now
  }

  /**
   * Milliseconds until the next attempt, 0 for now. Must be asked again after that time, because it may have grown. An
   * attempt that is late by more than half a window is left out.
   */
  delay(now: number): number {
    const { minDelay = this.#url.startsWith('ws') ? 1000 : 100, maxDelay } = this.#redial
    for (;;) {
      // The first window grows while other sessions lose the server too.
      const width = Math.min(maxDelay, this.#width * 2 || Math.max(1, this.#group.most * GROUP_SHARE) * minDelay)
      const late = now - this.#start - this.#place * width
      if (late < 0) return -late
      this.#start += (1 + (width === maxDelay ? Math.floor(late / width) : 0)) * width
      this.#width = width
      if (late <= width / 2) return 0
    }
  }

  /** Ends waiting. */
  end(): void {
    if (--this.#group.waiting === 0) this.#groups.delete(this.#url)
  }

  /** Waits again, because the connection did not hold: in the windows that follow, at the same place in them. */
  again(): void {
    this.#group = this.#join(() => this.#place)
  }

  #join(phase: () => number): ReconnectGroup {
    let group = this.#groups.get(this.#url)
    if (group === undefined) this.#groups.set(this.#url, (group = { waiting: 0, most: 0, phase: phase() }))
    group.most = Math.max(group.most, ++group.waiting)
    return group
  }
}
