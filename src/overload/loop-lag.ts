/** Milliseconds between two measurements. */
const PERIOD = 20

/** What it measures by. */
export interface LagClock {
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly setTimeout: (run: () => void, ms: number) => { unref(): unknown }
}

/** Measures how late timers of the loop are, for as long as somebody wants to know. */
export class LoopLag {
  readonly #clock: LagClock
  /** @returns whether the next one is wanted */
  readonly #onLag: (late: number) => boolean
  /** When the measurement that is under way should end; 0 for none. */
  #due = 0

  /** @param onLag gets milliseconds that a timer was late, and says whether to go on */
  constructor(clock: LagClock, onLag: (late: number) => boolean) {
    this.#clock = clock
    this.#onLag = onLag
  }

  /** Begins to measure, unless it does. @param now by the clock */
  watch(now: number): void {
    if (this.#due === 0) this.#measure(now)
  }

  #measure(now: number): void {
    this.#due = now + PERIOD
    this.#clock.setTimeout(this.#measured, PERIOD).unref()
  }

  readonly #measured = (): void => {
    const now = this.#clock.now()
    const late = now - this.#due
    this.#due = 0
    if (this.#onLag(late)) this.#measure(now)
  }
}
