/** Milliseconds between two measurements. */
const PERIOD = 20

/** The clock to measure with. */
export interface LagClock {
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly setTimeout: (run: () => void, ms: number) => { unref(): unknown }
}

/** Measures how late timers of the event loop are, while that is of interest. */
export class LoopLag {
  readonly #clock: LagClock
  /**
   * Gets the result of a measurement.
   *
   * @returns whether to measure again
   */
  readonly #onLag: (late: number) => boolean
  /** Time when the current measurement should end; 0 when there is none. */
  #due = 0

  /** @param onLag gets the milliseconds that a timer was late, and returns whether to measure again */
  constructor(clock: LagClock, onLag: (late: number) => boolean) {
    this.#clock = clock
    this.#onLag = onLag
  }

  /**
   * Starts measuring, if it does not yet.
   *
   * @param now by the clock
   */
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
