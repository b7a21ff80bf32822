import { type Clock, realClock } from '../../base/time/clock.ts'
import { Breaker, type BreakerStats } from './breaker.ts'
import { type BreakerOptions, type BreakerSettings, readBreakerOptions } from './breaker-options.ts'
import type { BreakerState } from './breaker-rules.ts'
import { Notifier } from './notify.ts'

/** Events of a map of breakers. */
export interface BreakerEvents {
  /** A breaker has changed its state. */
  state: [event: { breaker: Breaker; state: BreakerState; before: BreakerState }]
}

/** The circuit breakers of a client, by node and method. Their number is bounded, and idle ones are forgotten. */
export class BreakerMap extends Notifier<BreakerEvents & Record<never, never>> {
  /** Counts of all breakers since the map was made. */
  readonly stats: BreakerStats = { allowed: 0, rejected: 0, successes: 0, failures: 0, opened: 0, forgotten: 0 }
  /** @internal */
  readonly now: () => number
  /** @internal */
  readonly random: () => number
  /** @internal */
  settings: BreakerSettings
  readonly #byNode = new Map<string, Map<string, Breaker>>()
  #given: BreakerOptions
  #size = 0
  #sweptAt: number

  /** @throws TypeError or RangeError that names the option */
  constructor(options: BreakerOptions = {}, clock: Pick<Clock, 'now' | 'random'> = realClock) {
    super()
    this.now = clock.now
    this.random = clock.random
    this.settings = readBreakerOptions(options)
    this.#given = { ...options }
    this.#sweptAt = clock.now()
  }

  /**
   * Changes the given options; others stay as they are. All breakers forget their results and are closed, except those
   * opened or closed by hand.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: BreakerOptions): void {
    const given = { ...this.#given, ...options }
    this.settings = readBreakerOptions(given)
    this.#given = given
    for (const breaker of this) breaker.restart()
    while (this.#size > this.settings.maxBreakers) this.#forgetOldest()
  }

  /** Number of breakers. */
  get size(): number {
    return this.#size
  }

  /**
   * Finds the breaker of a node's method, and makes it when there is none.
   *
   * @param method '' for all of the node
   */
  get(node: string, method = ''): Breaker {
    const breaker = this.#byNode.get(node)?.get(method)
    return breaker === undefined ? this.#make(node, method) : breaker
  }

  /** State of a breaker; `closed` when there is none. Makes none, so it may be asked for any node. */
  stateOf(node: string, method = ''): BreakerState {
    return this.#byNode.get(node)?.get(method)?.state ?? 'closed'
  }

  /** Forgets a node that is gone. */
  delete(node: string): void {
    const methods = this.#byNode.get(node)
    if (methods === undefined) return
    this.#byNode.delete(node)
    this.#size -= methods.size
  }

  /** Iterates over all breakers. */
  *[Symbol.iterator](): IterableIterator<Breaker> {
    for (const methods of this.#byNode.values()) yield* methods.values()
  }

  /** @internal */
  changed(breaker: Breaker, before: BreakerState): void {
    this.notify('state', { breaker, state: breaker.state, before })
  }

  #make(node: string, method: string): Breaker {
    const now = this.now()
    // Swept here, not by a timer: without new breakers the number does not grow.
    if (now - this.#sweptAt >= this.settings.idle / 2) this.#sweep(now)
    if (this.#size >= this.settings.maxBreakers) this.#forgetOldest()
    let methods = this.#byNode.get(node)
    if (methods === undefined) this.#byNode.set(node, (methods = new Map()))
    const breaker = new Breaker(node, method, this)
    methods.set(method, breaker)
    this.#size++
    return breaker
  }

  #sweep(now: number): void {
    this.#sweptAt = now
    for (const breaker of this) if (!breaker.isForced && now - breaker.usedAt >= this.settings.idle) this.#forget(breaker)
  }

  /** Forgets the breaker that was made first. One that is set by hand goes only when all are. */
  #forgetOldest(): void {
    let oldest: Breaker | undefined
    for (const breaker of this) {
      oldest ??= breaker
      if (breaker.isForced) continue
      oldest = breaker
      break
    }
    if (oldest !== undefined) this.#forget(oldest)
  }

  #forget({ node, method }: Breaker): void {
    const methods = this.#byNode.get(node) as Map<string, Breaker>
    methods.delete(method)
    if (methods.size === 0) this.#byNode.delete(node)
    this.#size--
    this.stats.forgotten++
  }
}
