/** Entries of a table that has some. */
const MIN_SIZE = 8
/** Key of a place that is free. */
const FREE = -1

/**
 * Values by small numbers that are given out one after the other (names.ts), of which one table has but a few. Memory follows what is in it, not the
 * numbers; of those that follow each other each has its own place, so a look-up is one comparison.
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

  /** @param value undefined: there is none any more */
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
