/** An item's place in a `Chain`. */
export class Link<Item> {
  readonly item: Item
  prev: Link<Item> | undefined = undefined
  next: Link<Item> | undefined = undefined

  constructor(item: Item) {
    this.item = item
  }
}

/**
 * Items in the order they were added. Any of them is removed at constant cost, and the first is found at constant cost,
 * which in a Map or Set is slow once many items were deleted.
 */
export class Chain<Item> {
  #first: Link<Item> | undefined
  #last: Link<Item> | undefined

  /** The oldest item; undefined when there is none. */
  get first(): Item | undefined {
    return this.#first?.item
  }

  /** The newest item; undefined when there is none. */
  get last(): Item | undefined {
    return this.#last?.item
  }

  add(item: Item): Link<Item> {
    const link = new Link(item)
    link.prev = this.#last
    if (this.#last === undefined) this.#first = link
    else this.#last.next = link
    this.#last = link
    return link
  }

  /** Removes `link`. Requires that it is in this chain. */
  remove(link: Link<Item>): void {
    const { prev, next } = link
    if (prev === undefined) this.#first = next
    else prev.next = next
    if (next === undefined) this.#last = prev
    else next.prev = prev
    link.prev = link.next = undefined
  }
}
