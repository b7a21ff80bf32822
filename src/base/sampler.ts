/** Largest number that V8 surely keeps without memory of its own. */
const MAX_SMALL = 2 ** 30 - 1

/**
 * Takes a share of all that it is asked about, each with the same chance whatever it did before. It draws how many to
 * pass over until the next one is taken, so that those cost no random number.
 */
export class Sampler {
  readonly #share: number
  readonly #random: () => number
  /** How many are passed over before the next one is taken; negative before the first question. */
  #left = -1

  /**
   * @param share from 0, for none, to 1, for all
   * @param random numbers of at least 0 and below 1
   */
  constructor(share: number, random: () => number) {
    this.#share = share
    this.#random = random
  }

  /**
   * Whether the one that is asked about is passed over. If not, `takes` is to be asked about it: a function of its own,
   * so that this one is short enough to be inlined.
   */
  passesOver(): boolean {
    if (this.#left <= 0) return false
    this.#left--
    return true
  }

  takes(): boolean {
    return !this.passesOver() && this.#takesNow()
  }

  /** A function of its own, so that the other answer is short enough to be inlined. */
  #takesNow(): boolean {
    if (this.#left < 0) {
      this.#left = this.#draw()
      if (this.#left > 0) return this.takes()
    }
    this.#left = this.#draw()
    return this.#share > 0
  }

  /** Number of failures before a success (a geometric distribution). */
  #draw(): number {
    if (this.#share >= 1) return 0
    if (this.#share <= 0) return MAX_SMALL
    const failures = Math.floor(Math.log(1 - this.#random()) / Math.log1p(-this.#share))
    return failures > MAX_SMALL ? failures : failures | 0
  }
}
