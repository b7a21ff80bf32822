/** What is kept of older turns with each new one. */
const KEPT = 0.9

/** What one of many costs, lately: the mean over all, not over turns, since what a turn costs by itself weighs on few. */
export class MeanCost {
  #time = 0
  #count = 0

  add(time: number, count: number): void {
    this.#time = this.#time * KEPT + time
    this.#count = this.#count * KEPT + count
  }

  /** 0: nothing is known. */
  get each(): number {
    return this.#count === 0 ? 0 : this.#time / this.#count
  }

  /** How many fit into `time`, at least 1; `Infinity` when nothing is known. */
  fit(time: number): number {
    return this.#count === 0 ? Infinity : Math.max(1, Math.floor((time * this.#count) / Math.max(this.#time, Number.MIN_VALUE)))
  }
}
