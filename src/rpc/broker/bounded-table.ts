/** Number of entries that a new key looks at to find one that is not needed any more. */
const LOOKS = 8

/**
 * State by keys that peers choose: holds at most `max` keys. A new key takes the place of one whose state says nothing
 * any more. Where there is none, it gets `overflow`, the one state of all keys without a place: so no number of keys
 * takes memory, or buys more than one key's share.
 */
export class BoundedTable<State> {
  readonly overflow: State
  readonly #make: () => State
  /** Whether a new state would do as well as this one. */
  readonly #isFresh: (state: State, now: number) => boolean
  readonly #states = new Map<string, State>()
  /** Goes round the keys, so that each new key looks at others. */
  #cursor: Iterator<[string, State], undefined> = this.#states.entries()

  constructor(make: () => State, isFresh: (state: State, now: number) => boolean) {
    this.#make = make
    this.#isFresh = isFresh
    this.overflow = make()
  }

  /** Number of keys. */
  get size(): number {
    return this.#states.size
  }

  /** Finds the state of a key, or makes it. */
  get(key: string, max: number, now: number): State {
    const state = this.#states.get(key)
    if (state !== undefined) return state
    if (this.#states.size >= max && !this.#makeRoom(max, now)) return this.overflow
    const made = this.#make()
    this.#states.set(key, made)
    return made
  }

  values(): IterableIterator<State> {
    return this.#states.values()
  }

  clear(): void {
    this.#states.clear()
  }

  #makeRoom(max: number, now: number): boolean {
    for (let looks = 0; looks < LOOKS; looks++) {
      const { value } = this.#cursor.next()
      if (value === undefined) this.#cursor = this.#states.entries()
      else if (this.#isFresh(value[1], now)) this.#states.delete(value[0])
    }
    return this.#states.size < max
  }
}
