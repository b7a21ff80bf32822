/** Milliseconds after which what was seen counts for a third. */
const WINDOW = 100
/** Fewer looks than these tell little: one of them may have been one in which the process stood still. */
const SURE = 8
/** Milliseconds that the guess counts for while nothing was seen. */
const GUESSED = 20

/** How fast a queue empties while there is something in it, so that a wait can be told before it begins. */
export class DrainRate {
  #items = 0
  #time = 0
  #looks = 0
  #since = 0

  /** The queue is not empty any more. */
  start(now: number): void {
    this.#fade(now - this.#since)
    this.#since = now
  }

  /** `count` items left it since `start` or the last call; it was not empty in between. */
  passed(count: number, now: number): void {
    const time = Math.max(0, now - this.#since)
    this.#fade(time)
    this.#items += count
    this.#time += time
    this.#looks++
    this.#since = now
  }

  /** Milliseconds an item takes. @param guess the same, before it was seen; 0: no idea */
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
