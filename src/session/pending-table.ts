/** Initial and maximum length of the array. Beyond it, as with any collision, entries go to a Map. */
const MIN_SLOTS = 16
const MAX_SLOTS = 1024

/**
 * The open calls of one session by sequence number, an int32 that counts up and wraps
 * (docs/spec/wire.md#sequence-numbers).
 *
 * Numbers are consecutive, so `seq & mask` finds nearly every call in an array. When a call is still open after the
 * array's length of further calls, the later call with the same slot goes to a Map. A table that never had a call has
 * no array.
 */
export class PendingTable<T extends { readonly seq: number }> {
  #slots: (T | null)[] = []
  #mask = 0
  #overflow: Map<number, T> | null = null
  #size = 0

  /** Number of open calls. */
  get size(): number {
    return this.#size
  }

  /**
   * Adds a call.
   *
   * @throws Error when its number is open already: after a wrap the caller must skip numbers for which `has` is true
   */
  set(node: T): void {
    if (this.#slots.length === 0) this.#resize(MIN_SLOTS)
    const seq = node.seq
    if (this.has(seq)) throw new Error(`call ${seq} is already pending`)
    if (this.#slots[seq & this.#mask] !== null && this.#slots.length < MAX_SLOTS && this.#size * 2 >= this.#slots.length) {
      this.#resize(this.#slots.length * 4)
    }
    this.#place(node)
    this.#size++
  }

  /** Removes and returns the call with this number; undefined when there is none. */
  take(seq: number): T | undefined {
    if (this.#size === 0) return undefined
    const node = this.#slots[seq & this.#mask]
    if (node !== null && node.seq === seq) {
      this.#slots[seq & this.#mask] = null
      this.#size--
      return node
    }
    if (this.#overflow === null) return undefined
    const other = this.#overflow.get(seq)
    if (other !== undefined) {
      this.#overflow.delete(seq)
      this.#size--
    }
    return other
  }

  /** Returns the call with this number without removing it; undefined when there is none. */
  peek(seq: number): T | undefined {
    if (this.#size === 0) return undefined
    const node = this.#slots[seq & this.#mask]
    if (node !== null && node.seq === seq) return node
    return this.#overflow?.get(seq)
  }

  /** Whether a call with this number is open. */
  has(seq: number): boolean {
    return this.peek(seq) !== undefined
  }

  /**
   * Empties the table and returns its calls, in no particular order. Later changes of the table do not affect the array
   * returned.
   */
  takeAll(): T[] {
    const all = this.#slots.filter((node) => node !== null)
    if (this.#overflow !== null) for (const node of this.#overflow.values()) all.push(node)
    this.#slots = []
    this.#mask = 0
    this.#overflow = null
    this.#size = 0
    return all
  }

  #place(node: T): void {
    const slot = node.seq & this.#mask
    if (this.#slots[slot] === null) {
      this.#slots[slot] = node
    } else {
      this.#overflow ??= new Map()
      this.#overflow.set(node.seq, node)
    }
  }

  #resize(slots: number): void {
    const all = this.#size === 0 ? [] : this.takeAll()
    this.#slots = new Array<T | null>(slots).fill(null)
    this.#mask = slots - 1
    this.#size = all.length
    for (const node of all) this.#place(node)
  }
}
