/** Maximum debt of a lane, in turns' worth of service: the other lanes are then served this many times before it. */
const MAX_DEBT = 8
/** Weight of the newest cost in the mean. */
const SMOOTHING = 0.05
/** Minimum cost in milliseconds, because the clock cannot measure less. */
const MIN_COST = 0.001
/**
 * Maximum cost in milliseconds that the first item counts for, because the first ones of a process cost more than later
 * ones.
 */
const MAX_FIRST = 0.2
/** Number of taken items from which they are cut off the beginning of the array. */
const SLACK = 64

/** The waiting items of one session in a `FairQueue`, in order. Only the queue writes to it. */
export class Lane<Item> {
  items: (Item | undefined)[] = []
  head = 0
  /** Sum of the weights of its items. */
  weight = 0
  /** Milliseconds of service that are left of its turn. Below 0 the lane has had more than its share. */
  credit = 0
  /** Time when the lane was served last and became empty. */
  idleSince = 0
  /** Next lane in the ring; null while the lane is not in it. */
  next: Lane<Item> | null = null
  /** For the owner of the queue: the window in which the lane was counted last. */
  mark = -1

  /** Number of waiting items. */
  get size(): number {
    return this.items.length - this.head
  }
}

/**
 * Items of many sessions, served in turn: each lane gets the mean cost of one item per round (deficit round robin, in
 * which a lane may overdraw and then waits for that). So a session with many items, or with costly ones, gets no more
 * than its share while others wait. Each operation takes constant time, except that a lane in debt is passed over.
 */
export class FairQueue<Item> {
  /** Last lane of the ring; the next one has its turn. */
  #last: Lane<Item> | null = null
  #length = 0
  #weight = 0
  #active = 0
  /** Mean cost of an item in milliseconds; 0 when not known. */
  #quantum = 0

  /** Number of waiting items. */
  get length(): number {
    return this.#length
  }

  /** Sum of the weights of all waiting items. */
  get weight(): number {
    return this.#weight
  }

  /** Number of lanes with waiting items. */
  get active(): number {
    return this.#active
  }

  /**
   * Appends an item to a lane.
   *
   * @param weight any measure, such as bytes; `take` subtracts it again
   */
  push(lane: Lane<Item>, item: Item, weight: number, now: number): void {
    lane.items.push(item)
    lane.weight += weight
    this.#weight += weight
    this.#length++
    if (lane.next !== null) return
    // While the lane was empty it used none of its share; credit it one item per round that passed.
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

  /**
   * Takes the next item. `charge` must follow, unless it cost nothing.
   *
   * @param weightOf the weight of an item, as given to `push`
   * @returns undefined when there is none
   */
  take(weightOf: (item: Item) => number, now: number): Item | undefined {
    for (let lane = this.#turn(); lane !== null; lane = this.#turn()) {
      if (lane.size === 0) {
        this.#leave(lane, now)
        continue
      }
      if (lane.credit <= 0) {
        // A lane that is alone owes nothing. Debt is capped by the current quantum, because one extraordinary cost must
        // not keep the lane waiting for hundreds of rounds.
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

  /**
   * Charges the cost of the item taken last to its lane.
   *
   * @param cost milliseconds
   */
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

  /**
   * Removes all items of `lane`.
   *
   * @returns the items
   */
  drop(lane: Lane<Item>): Item[] {
    const dropped = lane.items.slice(lane.head) as Item[]
    this.#length -= dropped.length
    this.#weight -= lane.weight
    lane.items = []
    lane.head = 0
    lane.weight = 0
    return dropped
  }

  /** The lane that has its turn; null when all are empty. */
  #turn(): Lane<Item> | null {
    return this.#last === null ? null : this.#last.next
  }

  /** Removes `lane` from the ring. Requires that it has its turn and is empty. */
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
