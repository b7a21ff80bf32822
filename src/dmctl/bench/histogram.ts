/** Buckets in each doubling, so that a value is known to about 3 %. */
const STEPS = 32

/** Counts of latencies in buckets that widen with the value. Values are milliseconds. */
export class Histogram {
  readonly #buckets = new Map<number, number>()
  count = 0
  max = 0
  #sum = 0

  add(ms: number): void {
    const value = Math.max(ms, 0.001)
    const bucket = Math.floor(Math.log2(value) * STEPS)
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1)
    this.count++
    this.#sum += value
    if (value > this.max) this.max = value
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count
  }

  /** The least value that `share` of all values do not exceed, as far as buckets tell; 0 for no values. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(this.count * share))
    for (const [bucket, count] of this.#sorted()) {
      left -= count
      if (left <= 0) return Math.min(this.max, 2 ** ((bucket + 1) / STEPS))
    }
    return 0
  }

  /** Counts for a picture: at most `most` rows of equal width on a logarithmic scale, least value first. */
  rows(most: number): { from: number; to: number; count: number }[] {
    const sorted = this.#sorted()
    if (sorted.length === 0) return []
    const first = sorted[0][0]
    const span = sorted[sorted.length - 1][0] - first + 1
    const width = Math.max(1, Math.ceil(span / most))
    const rows = Array.from({ length: Math.ceil(span / width) }, (_, i) => ({
      from: 2 ** ((first + i * width) / STEPS),
      to: 2 ** ((first + (i + 1) * width) / STEPS),
      count: 0,
    }))
    for (const [bucket, count] of sorted) rows[Math.floor((bucket - first) / width)].count += count
    return rows
  }

  #sorted(): [bucket: number, count: number][] {
    return [...this.#buckets].sort(([a], [b]) => a - b)
  }
}
