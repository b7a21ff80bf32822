/** Buckets per doubling of the latency, so a percentile is off by at most 19 %. */
const PER_DOUBLING = 4
/** Lowest latency that is told apart, in milliseconds. */
const LEAST = 0.0625
/** Buckets up to 2^20 ms, a quarter of an hour. */
const BUCKETS = 24 * PER_DOUBLING
/** Number of latencies after which all counts are halved, so that recent ones weigh more. */
const HALVE_AFTER = 1024

/** The distribution of recent latencies, in little memory and constant time. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #total = 0

  /** Number of latencies that count, older ones less. */
  get count(): number {
    return this.#total
  }

  /** @param latency milliseconds */
  add(latency: number): void {
    const at = latency > LEAST ? Math.min(BUCKETS - 1, Math.floor(Math.log2(latency / LEAST) * PER_DOUBLING)) : 0
    this.#counts[at]++
    if (++this.#total >= HALVE_AFTER) this.#halve()
  }

  /**
   * Latency in milliseconds that a share of the calls does not exceed; 0 when nothing is known.
   *
   * @param share from 0 to 1
   */
  percentile(share: number): number {
    let left = share * this.#total
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.#counts[at]
      if (left <= 0 && this.#total > 0) return LEAST * 2 ** ((at + 1) / PER_DOUBLING)
    }
    return 0
  }

  #halve(): void {
    this.#total = 0
    for (let at = 0; at < BUCKETS; at++) this.#total += this.#counts[at] >>>= 1
  }
}
