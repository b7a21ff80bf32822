/** Tokens that come at a rate, up to a number, and are taken one per message. */
export class TokenBucket {
  /** Tokens left at time `at`. */
  tokens: number
  at: number

  constructor(burst: number, now: number) {
    this.tokens = burst
    this.at = now
  }

  /**
   * Takes a token.
   *
   * @param rate tokens per second
   * @param burst maximum number of tokens
   * @returns 0 when there was one, else milliseconds until there is one
   */
  take(rate: number, burst: number, now: number): number {
    const tokens = this.#refill(rate, burst, now)
    if (tokens >= 1) {
      this.tokens = tokens - 1
      return 0
    }
    return Math.max(1, ((1 - tokens) * 1000) / rate)
  }

  /** Whether it has all its tokens. */
  isFull(rate: number, burst: number, now: number): boolean {
    return this.#refill(rate, burst, now) >= burst
  }

  #refill(rate: number, burst: number, now: number): number {
    // A clock that went back adds nothing, and counts from where it is.
    const passed = Math.max(0, now - this.at)
    this.at = now
    this.tokens = Math.min(burst, this.tokens + (passed * rate) / 1000)
    return this.tokens
  }
}
