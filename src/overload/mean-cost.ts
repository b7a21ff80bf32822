/** Factor by which older turns count less with each new one. */
const KEPT = 0.9

/**
 * Recent mean cost of one message. It is the mean over messages and not over turns, because the fixed cost of a turn
 * would weigh more in small turns.
 */
export class MeanCost {
  #time = 0
  #count = 0

  /**
   * Adds a turn.
   *
   * @param time milliseconds that the turn took
   * @param count messages that it started
   */
  add(time: number, count: number): void {
    this.#time = this.#time * KEPT + time
    this.#count = this.#count * KEPT + count
  }

  /** Mean cost in milliseconds; 0 when not known. */
  get each(): number {
    return this.#count === 0 ? 0 : this.#time / this.#count
  }

  /** Number of messages that fit into `time` milliseconds, at least 1; `Infinity` when the cost is not known. */
  fit(time: number): number {
    return this.#count === 0 ? Infinity : Math.max(1, Math.floor((time * this.#count) / Math.max(this.#time, Number.MIN_VALUE)))
  }
}
