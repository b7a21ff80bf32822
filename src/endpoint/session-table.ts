/** The part of a session that a table needs. */
interface Named {
  readonly id: string
}

/** The sessions of an endpoint by id, in the order they were made. */
export class SessionTable<T extends Named> {
  readonly #byId = new Map<string, T>()
  /**
   * Number in the last id that was made unique. It only counts up, because all clients of a Unix socket have the same
   * address and a search would be slow.
   */
  #copies = 1

  /** Number of sessions. */
  get size(): number {
    return this.#byId.size
  }

  get(id: string): T | undefined {
    return this.#byId.get(id)
  }

  values(): IterableIterator<T> {
    return this.#byId.values()
  }

  add(session: T): void {
    this.#byId.set(session.id, session)
  }

  /** Removes a session, unless another one has its id by now. */
  remove(session: T): void {
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id)
  }

  /** Finds an id that no session has: `address`, or `address` with a number. */
  freeId(address: string): string {
    let id = address
    while (this.#byId.has(id)) id = `${address}#${++this.#copies}`
    return id
  }

  /**
   * Moves a session to another id, before its own `id` changes.
   *
   * @returns the session that had the id; undefined when there was none
   */
  rename(session: T, id: string): T | undefined {
    const owner = this.#byId.get(id)
    this.remove(session)
    this.#byId.set(id, session)
    return owner
  }
}
