import type { Clock } from '../../../base/time/clock.ts'
import type { Candidate } from '../strategy.ts'

/**
 * Turns of many nodes, each due as often as its weight says: a heap of the nodes by the time of their next turn, where
 * a node of weight 2 has two turns in one unit of time. A weight that changes counts from the node's next turn on.
 */
export class TurnHeap {
  readonly #candidates: readonly Candidate[]
  /** Indexes of the candidates; that with the earliest turn is first. */
  readonly #order: Uint32Array
  /** Time of the next turn of each place of `#order`. */
  readonly #due: Float64Array

  constructor(candidates: readonly Candidate[], clock: Pick<Clock, 'random'>) {
    this.#candidates = candidates
    const due = Float64Array.from(candidates, ({ weight }) => clock.random() / weight)
    // A sorted array is a heap.
    this.#order = Uint32Array.from(due.keys()).sort((a, b) => due[a] - due[b])
    this.#due = Float64Array.from(this.#order, (index) => due[index])
  }

  /** Index of the candidate whose turn it is. */
  next(): number {
    const index = this.#order[0]
    this.#sink(index, this.#due[0] + 1 / this.#candidates[index].weight)
    return index
  }

  /** Puts the first candidate where its next turn belongs. */
  #sink(index: number, at: number): void {
    const order = this.#order
    const due = this.#due
    const { length } = order
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= length) break
      if (child + 1 < length && due[child + 1] < due[child]) child++
      if (due[child] >= at) break
      order[place] = order[child]
      due[place] = due[child]
      place = child
    }
    order[place] = index
    due[place] = at
  }
}
