/** Time constant in milliseconds: after it, older measurements count for a third. */
const WINDOW = 100
/** Number of measurements from which they are trusted alone. Fewer may include one in which the process stalled. */
const SURE = 8
/** Milliseconds of measuring that the guess counts for while nothing was measured. */
const GUESSED = 20

/** Measures how fast a queue drains while it is not empty, to predict waits. */
export class DrainRate {
  #items = 0
  #time = 0
  #looks = 0
  #since = 0

  /** Starts measuring: the queue is not empty any more. */
  start(now: number): void {
    this.#fade(now - this.#since)
    this.#since = now
  }

  /**
   * Adds a measurement: `count` items left the queue since `start` or the last call, and it was not empty in between.
   */
  passed(count: number, now: number): void {
    const time = Math.max(0, now - this.#since)
    this.#fade(time)
    this.#items += count
    this.#time += time
    this.#looks++
    this.#since = now
  }

  /**
   * Milliseconds per item.
   *
   * @param guess the same before anything was measured; 0 for none
   */
  perItem(guess: number): number {
    const guessed = guess === 0 ? 0 : GUESSED * Math.max(0, 1 - this.#looks / SURE)
    const items = this.#items + (guessed === 0 ? 0 : guessed / guess)
    return items > 0 ? (this.#time + guessed) / items : 0
  }

  #fade(time: number): void {
    const kept = Math.exp(-Math.max(0, time) / WINDOW)
    this.#items *= kept
    this.#time *= kept
    this.#looks *= kept
  }
}
