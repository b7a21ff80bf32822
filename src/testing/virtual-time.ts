import type { ClockTimer } from '../base/time/clock.ts'

/** Something that happens at its time, unless it is cancelled. */
export interface Happening extends ClockTimer {
  readonly at: number
  /** What is due at the same time happens in the order it was asked for. */
  readonly order: number
  run: (() => void) | null
}

/** Cancelled ones are swept out when they are more than half, and more than this. */
const MAX_DEAD = 64

/** Time that passes only when told to, and what is going to happen in it. */
export class VirtualTime {
  /** Called when something was added. */
  onAdded: (() => void) | undefined
  #now = 0
  #order = 0
  /** A binary heap, the next one first. */
  #heap: Happening[] = []
  #dead = 0

  get now(): number {
    return this.#now
  }

  /** Happenings to come. */
  get size(): number {
    return this.#heap.length - this.#dead
  }

  /** @param time not before now */
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

  /** When the next one happens; undefined: nothing will. */
  get next(): number | undefined {
    while (this.#heap.length > 0 && this.#heap[0].run === null) {
      this.#pop()
      this.#dead--
    }
    return this.#heap[0]?.at
  }

  /** Moves on to the next happening, and runs it. @throws what it throws */
  step(): void {
    if (this.next === undefined) return
    const happening = this.#pop()
    const { run } = happening
    happening.run = null
    this.#now = happening.at
    run?.()
  }

  /** Moves on to `time`, which must not lie behind what is to happen. */
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
    // An array in order is a heap.
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
