/** Capacity of a table that is not empty, at least. */
const MIN_SIZE = 8
/** Key of a free place. */
const FREE = -1

/**
 * Values by ids that are assigned in order (names.ts), for tables that hold few of all ids. Memory grows with the
 * number of entries, not with the ids. Consecutive ids never collide, so a look-up of theirs is one comparison.
 */
export class RouteTable<Value> {
  #keys = new Int32Array(0)
  #values: (Value | undefined)[] = []
  #mask = -1
  #size = 0

  get(id: number): Value | undefined {
    const keys = this.#keys
    const mask = this.#mask
    if (mask < 0 || id < 0) return undefined
    let at = id & mask
    for (let key = keys[at]; key !== id; key = keys[at]) {
      if (key === FREE) return undefined
      at = (at + 1) & mask
    }
    return this.#values[at]
  }

  /** @param value undefined removes the entry */
  set(id: number, value: Value | undefined): void {
    if (this.#size * 2 >= this.#keys.length) this.#grow()
    const keys = this.#keys
    let at = id & this.#mask
    while (keys[at] !== FREE && keys[at] !== id) at = (at + 1) & this.#mask
    if (keys[at] === FREE) this.#size++
    keys[at] = id
    this.#values[at] = value
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    const size = Math.max(MIN_SIZE, keys.length * 2)
    this.#keys = new Int32Array(size).fill(FREE)
    this.#values = new Array(size).fill(undefined)
    this.#mask = size - 1
    this.#size = 0
    for (let i = 0; i < keys.length; i++) if (keys[i] !== FREE) this.set(keys[i], values[i])
  }
}
