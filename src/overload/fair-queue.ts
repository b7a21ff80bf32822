/** How many turns' worth of service a lane may be in debt: then the others are served so many times before it. */
const MAX_DEBT = 8
/** Share of the newest cost in the mean. */
const SMOOTHING = 0.05
/** A cost below what the clock can tell, in milliseconds. */
const MIN_COST = 0.001
/** Most that the first item counts for, in milliseconds: the first of a process cost more than those that follow. */
const MAX_FIRST = 0.2
/** Taken items are cut off an array's beginning when there are so many. */
const SLACK = 64

/** What one session has waiting in a `FairQueue`, in order. Only the queue writes to it. */
export class Lane<Item> {
  items: (Item | undefined)[] = []
  head = 0
  /** Of all that waits. */
  weight = 0
  /** Milliseconds of service that are left of its turn; below 0 it had more than its share. */
  credit = 0
  /** When it was served last, and had nothing more. */
  idleSince = 0
  /** Neighbour in the ring; null while it is in none. */
  next: Lane<Item> | null = null
  /** For the queue's owner: when it was counted last. */
  mark = -1

  get size(): number {
    return this.items.length - this.head
  }
}

/**
 * Items of many sessions, served in turn: each lane gets the mean cost of one item a round (deficit round robin that lets a lane overdraw and
 * makes it wait for that), so that a session with many items, or with costly ones, takes no more than its share while others wait. All is O(1)
 * a call, a lane's debt apart.
 */
export class FairQueue<Item> {
  /** The ring's last lane; the one behind it has its turn. */
  #last: Lane<Item> | null = null
  #length = 0
  #weight = 0
  #active = 0
  /** Mean cost of an item, in milliseconds; 0: none known. */
  #quantum = 0

  get length(): number {
    return this.#length
  }

  get weight(): number {
    return this.#weight
  }

  /** Lanes with something in them. */
  get active(): number {
    return this.#active
  }

  /** @param weight any measure, such as bytes; given back by `take` */
  push(lane: Lane<Item>, item: Item, weight: number, now: number): void {
    lane.items.push(item)
    lane.weight += weight
    this.#weight += weight
    this.#length++
    if (lane.next !== null) return
    // In the time it was away it would have been served once a round: so much of its debt is paid.
    lane.credit = Math.min(0, lane.credit + (now - lane.idleSince) / Math.max(1, this.#active))
    this.#active++
    if (this.#last === null) {
      lane.next = lane
    } else {
      lane.next = this.#last.next
      this.#last.next = lane
    }
    this.#last = lane
  }

  /** The next item, undefined when there is none. `charge` follows, unless it cost nothing. @param weightOf what `push` was told of it */
  take(weightOf: (item: Item) => number, now: number): Item | undefined {
    for (let lane = this.#turn(); lane !== null; lane = this.#turn()) {
      if (lane.size === 0) {
        this.#leave(lane, now)
        continue
      }
      if (lane.credit <= 0) {
        // Alone it owes nobody. By today's measure: one cost out of the ordinary must not keep it waiting for hundreds of rounds.
        const debt = this.#active === 1 ? 0 : Math.max(lane.credit, -MAX_DEBT * this.#quantum)
        lane.credit = debt + this.#quantum
        if (lane.credit < 0) {
          this.#last = lane
          continue
        }
      }
      const item = shift(lane)
      const weight = weightOf(item)
      lane.weight -= weight
      this.#weight -= weight
      this.#length--
      return item
    }
    return undefined
  }

  /** @param cost milliseconds that the item took which was taken last */
  charge(cost: number, now: number): void {
    const lane = this.#turn()
    const paid = Math.max(cost, MIN_COST)
    if (this.#quantum === 0) this.#quantum = Math.min(paid, MAX_FIRST)
    else this.#quantum += (Math.min(paid, MAX_DEBT * this.#quantum) - this.#quantum) * SMOOTHING
    if (lane === null) return
    lane.credit = Math.min(lane.credit - paid, this.#quantum)
    if (lane.size === 0) this.#leave(lane, now)
    else if (lane.credit <= 0) this.#last = lane
  }

  /** Forgets what waits in `lane`; returns it. */
  drop(lane: Lane<Item>): Item[] {
    const dropped = lane.items.slice(lane.head) as Item[]
    this.#length -= dropped.length
    this.#weight -= lane.weight
    lane.items = []
    lane.head = 0
    lane.weight = 0
    return dropped
  }

  /** Whose turn it is. */
  #turn(): Lane<Item> | null {
    return this.#last === null ? null : this.#last.next
  }

  /** `lane` has its turn and nothing in it. */
  #leave(lane: Lane<Item>, now: number): void {
    const last = this.#last as Lane<Item>
    if (last === lane) this.#last = null
    else last.next = lane.next
    lane.next = null
    lane.idleSince = now
    this.#active--
  }
}

function shift<Item>(lane: Lane<Item>): Item {
  const item = lane.items[lane.head] as Item
  lane.items[lane.head++] = undefined
  if (lane.head === lane.items.length) {
    lane.items.length = 0
    lane.head = 0
  } else if (lane.head >= SLACK && lane.head * 2 >= lane.items.length) {
    lane.items.splice(0, lane.head)
    lane.head = 0
  }
  return item
}
