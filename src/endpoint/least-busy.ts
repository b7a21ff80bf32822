/** What takes work, and how much it has. Only `LeastBusy` writes to it. */
export class Worker {
  /** Open now. */
  load = 0
  /** @internal */
  level: Level | undefined
  /** @internal */
  prev: Worker | undefined
  /** @internal */
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
 * Workers by load, so that the least busy is at hand however many there are: each step costs the same. Of several the one is taken that was busy last, so that
 * those which are not needed stay idle.
 */
export class LeastBusy<Member extends Worker> {
  #lowest: Level | undefined

  /** The least busy; undefined when there is none. */
  get first(): Member | undefined {
    return this.#lowest?.first as Member | undefined
  }

  has(member: Member): boolean {
    return member.level !== undefined
  }

  add(member: Member): void {
    let below: Level | undefined
    let above = this.#lowest
    while (above !== undefined && above.load < member.load) {
      below = above
      above = above.next
    }
    this.#enter(member, below, above)
  }

  /** Nothing happens when it is not in. */
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

  /** It has one more, or one less, to do. */
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

  /** Between levels that are neighbours; either may be its own. */
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
