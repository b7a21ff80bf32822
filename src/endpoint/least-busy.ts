/** A member of `LeastBusy`, with its load. Only `LeastBusy` writes to it. */
export class Worker {
  /** Number of open calls. */
  load = 0
  /**
   * Workers of the same load.
   *
   * @internal
   */
  level: Level | undefined
  /**
   * Previous worker of the level.
   *
   * @internal
   */
  prev: Worker | undefined
  /**
   * Next worker of the level.
   *
   * @internal
   */
  next: Worker | undefined
}

/** Workers of the same load, as a chain. */
interface Level {
  readonly load: number
  first: Worker | undefined
  prev: Level | undefined
  next: Level | undefined
}

/**
 * Workers by load, to find the least busy in constant time. Of several it takes the one that was busy last, so that
 * workers which are not needed stay idle.
 */
export class LeastBusy<Member extends Worker> {
  #lowest: Level | undefined

  /** The least busy worker; undefined when there is none. */
  get first(): Member | undefined {
    return this.#lowest?.first as Member | undefined
  }

  /** Whether the worker is in the set. */
  has(member: Member): boolean {
    return member.level !== undefined
  }

  /** Adds a worker. */
  add(member: Member): void {
    let below: Level | undefined
    let above = this.#lowest
    while (above !== undefined && above.load < member.load) {
      below = above
      above = above.next
    }
    this.#enter(member, below, above)
  }

  /** Removes a worker. Does nothing when it is not in the set. */
  remove(member: Member): void {
    const { level } = member
    if (level === undefined) return
    if (member.prev === undefined) level.first = member.next
    else member.prev.next = member.next
    if (member.next !== undefined) member.next.prev = member.prev
    member.level = member.prev = member.next = undefined
    if (level.first !== undefined) return
    if (level.prev === undefined) this.#lowest = level.next
    else level.prev.next = level.next
    if (level.next !== undefined) level.next.prev = level.prev
  }

  /** Changes the load of a worker by one. */
  change(member: Member, by: 1 | -1): void {
    const { level } = member
    member.load += by
    if (level === undefined) return
    const last = level.first === member && member.next === undefined
    const below = by < 0 || last ? level.prev : level
    const above = by > 0 || last ? level.next : level
    this.remove(member)
    this.#enter(member, below, above)
  }

  /** Inserts a worker between two neighbouring levels; either may be its own. */
  #enter(member: Member, below: Level | undefined, above: Level | undefined): void {
    let level = below?.load === member.load ? below : above
    if (level?.load !== member.load) {
      level = { load: member.load, first: undefined, prev: below, next: above }
      if (below === undefined) this.#lowest = level
      else below.next = level
      if (above !== undefined) above.prev = level
    }
    member.level = level
    member.next = level.first
    if (level.first !== undefined) level.first.prev = member
    level.first = member
  }
}
