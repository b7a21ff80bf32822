/** Counts of two kinds of events over the last milliseconds, in buckets that are dropped one by one. */
export class RollingWindow {
  /** Sums over the window, up to date after `advance`. */
  total = 0
  good = 0
  readonly #totals: Uint32Array
  readonly #goods: Uint32Array
  readonly #width: number
  /** Number of the current bucket, counted from the beginning of the clock. */
  #current: number

  /**
   * @param span milliseconds of all buckets together
   * @param buckets number of buckets
   */
  constructor(span: number, buckets: number, now: number) {
    this.#width = span / buckets
    this.#totals = new Uint32Array(buckets)
    this.#goods = new Uint32Array(buckets)
    this.#current = Math.floor(now / this.#width)
  }

  /** Drops what is too old by now. A clock that went back drops nothing until it is where it was. */
  advance(now: number): void {
    const current = Math.floor(now / this.#width)
    if (current > this.#current) this.#drop(current)
  }

  #drop(current: number): void {
    const buckets = this.#totals.length
    if (current - this.#current >= buckets) {
      this.clear()
    } else {
      for (let bucket = this.#current + 1; bucket <= current; bucket++) {
        const at = this.#slot(bucket)
        this.total -= this.#totals[at]
        this.good -= this.#goods[at]
        this.#totals[at] = 0
        this.#goods[at] = 0
      }
    }
    this.#current = current
  }

  /** Counts an event. Requires `advance` before. */
  add(isGood: boolean): void {
    const at = this.#slot(this.#current)
    this.#totals[at]++
    this.total++
    if (!isGood) return
    this.#goods[at]++
    this.good++
  }

  clear(): void {
    this.total = 0
    this.good = 0
    this.#totals.fill(0)
    this.#goods.fill(0)
  }

  /** Place of a bucket in the arrays. The number is below 2^53, so no bit operation would do. */
  #slot(bucket: number): number {
    const { length } = this.#totals
    const at = bucket % length
    return at < 0 ? at + length : at
  }
}
