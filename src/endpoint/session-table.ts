/** What a table of sessions needs of one. */
interface Named {
  readonly id: string
}

/** The sessions of an endpoint by id, in the order they began. */
export class SessionTable<T extends Named> {
  readonly #byId = new Map<string, T>()
  /** Of the copy that was named last. Counted up and never searched for: all clients of a Unix socket have the same address. */
  #copies = 1

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

  /** Only its own entry: another session may have taken the id over. */
  remove(session: T): void {
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id)
  }

  /** An id that no session has: `address`, or that with a number. */
  freeId(address: string): string {
    let id = address
    while (this.#byId.has(id)) id = `${address}#${++this.#copies}`
    return id
  }

  /** Before its id changes to `id`. @returns who had that until now */
  rename(session: T, id: string): T | undefined {
    const owner = this.#byId.get(id)
    this.remove(session)
    this.#byId.set(id, session)
    return owner
  }
}
