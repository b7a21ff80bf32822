/** Answer of a store. */
export interface Grant {
  /** Number of tokens taken, from 0 to the number that was asked for. */
  readonly granted: number
  /** Milliseconds until there is a token, where none was granted. */
  readonly wait: number
}

/** Token buckets that several processes share. */
export interface RateLimitStore {
  /**
   * Takes up to `count` tokens of the bucket `key`, at once for all processes. It may reject, be late or answer
   * nonsense: then each process limits for itself.
   *
   * @param rate tokens per second
   * @param burst maximum number of tokens
   */
  take(key: string, rate: number, burst: number, count: number): Promise<Grant>
}
