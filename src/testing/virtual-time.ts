import type { ClockTimer } from '../base/time/clock.ts'

/** A call at a point in virtual time, unless it is cancelled. */
export interface Happening extends ClockTimer {
  readonly at: number
  /** Decides the order of calls at the same time: the order in which they were added. */
  readonly order: number
  run: (() => void) | null
}

/** Most cancelled calls that stay in the heap; more are removed once they are more than half of it. */
const MAX_DEAD = 64

/** Time that passes only on command, and the calls scheduled in it. */
export class VirtualTime {
  /** Called when a call was added. */
  onAdded: (() => void) | undefined
  #now = 0
  #order = 0
  /** A binary heap of calls, the next one first. */
  #heap: Happening[] = []
  #dead = 0

  get now(): number {
    return this.#now
  }

  /** Number of calls to come. */
  get size(): number {
    return this.#heap.length - this.#dead
  }

  /**
   * Schedules a call.
   * @param time in virtual milliseconds; a time in the past stands for now
   */
  at(time: number, run: () => void): Happening {
    const happening: Happening = { at: Math.max(time, this.#now), order: this.#order++, run, unref: () => happening }
    this.#push(happening)
    this.onAdded?.()
    return happening
  }

  cancel(happening: Happening | undefined): void {
    if (happening === undefined || happening.run === null) return
    happening.run = null
    this.#dead++
    if (this.#dead > MAX_DEAD && this.#dead * 2 > this.#heap.length) this.#sweep()
  }

  /** Time of the next call; undefined when there is none. */
  get next(): number | undefined {
    while (this.#heap.length > 0 && this.#heap[0].run === null) {
      this.#pop()
      this.#dead--
    }
    return this.#heap[0]?.at
  }

  /**
   * Advances to the next call, and runs it.
   * @throws the exception of the call
   */
  step(): void {
    if (this.next === undefined) return
    const happening = this.#pop()
    const { run } = happening
    happening.run = null
    this.#now = happening.at
    run?.()
  }

  /** Advances to `time`. Requires that no call is due before. */
  skipTo(time: number): void {
    this.#now = Math.max(time, this.#now)
  }

  clear(): void {
    for (const happening of this.#heap) happening.run = null
    this.#heap = []
    this.#dead = 0
  }

  #sweep(): void {
    const alive = this.#heap.filter(({ run }) => run !== null)
    // A sorted array is a heap.
    this.#heap = alive.sort((a, b) => (before(a, b) ? -1 : 1))
    this.#dead = 0
  }

  #push(happening: Happening): void {
    const heap = this.#heap
    let i = heap.push(happening) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(happening, heap[parent])) break
      heap[i] = heap[parent]
      i = parent
    }
    heap[i] = happening
  }

  #pop(): Happening {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop() as Happening
    if (heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], last)) break
      heap[i] = heap[child]
      i = child
    }
    heap[i] = last
    return first
  }
}

function before(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
