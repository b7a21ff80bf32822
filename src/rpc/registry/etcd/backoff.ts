import type { Clock } from '../../../base/time/clock.ts'

const FIRST_MS = 100
const LONGEST_MS = 5_000

/** Pauses between tries of what goes on until it succeeds: they double, and differ from one process to another. */
export class Backoff {
  readonly #clock: Clock
  #ms = FIRST_MS

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds to wait now. */
  next(): number {
    const ms = this.#ms
    this.#ms = Math.min(2 * ms, LONGEST_MS)
    return ms * (0.5 + this.#clock.random() / 2)
  }

  reset(): void {
    this.#ms = FIRST_MS
  }
}
