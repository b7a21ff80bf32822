/** Fewest taken items that are cut off the array's beginning at once. */
const SLACK = 64

/** A queue, first in, first out, with constant cost per item. */
export class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  /** The oldest item, which stays in the queue; undefined when there is none. */
  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  /** The item `i` places behind the oldest, which stays in the queue; undefined when there is none. */
  at(i: number): Item | undefined {
    return this.#items[this.#head + i]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Removes and returns the oldest item; undefined when there is none. */
  shift(): Item | undefined {
    const items = this.#items
    if (this.#head === items.length) return undefined
    const item = items[this.#head]
    items[this.#head++] = undefined
    if (this.#head === items.length) {
      items.length = 0
      this.#head = 0
    } else if (this.#head >= SLACK && this.#head * 2 >= items.length) {
      items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }
}
