import { append, type TimerEntry, TimerList, type TimerWheel } from './timer-wheel.ts'

const settled = Promise.resolve()

/** Number of entries in a turn for each of which the clock is read, and of those after them that share a look at it. */
const GROUP = 16

/**
 * Adds entries to a wheel that may come by the dozen in one turn of the loop, as calls do. Reading the clock takes 55
 * ns (Node 20, x64), so after the first entries of a turn it is read once for a group: when the next group begins, or
 * when the promises of the turn have settled. The deadlines of a group count from then, before a timer can fire.
 */
export class TurnDeadlines {
  readonly #wheel: TimerWheel
  /** Entries of the group, whose deadlines count from `#begun` so far. */
  readonly #group = new TimerList()
  readonly #endTurn = (): void => {
    this.#count = 0
    if (this.#group.wheelNext !== this.#group) this.#endGroup(this.#wheel.now())
  }
  /** Number of entries in this turn. */
  #count = 0
  /** Time at which the group began. */
  #begun = 0

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /** As `TimerWheel.add` does. */
  add(entry: TimerEntry, timeoutMs: number): void {
    const count = this.#count++
    if (count === 0) settled.then(this.#endTurn)
    if (count < GROUP) {
      this.#wheel.add(entry, timeoutMs)
    } else if (count % GROUP === 0) {
      const now = this.#wheel.now()
      this.#endGroup(now)
      this.#begun = now
      this.#wheel.add(entry, timeoutMs, now)
    } else {
      this.#wheel.remove(entry)
      entry.deadline = this.#begun + timeoutMs
      append(this.#group, entry)
    }
  }

  #endGroup(now: number): void {
    const group = this.#group
    for (let entry = group.wheelNext as TimerEntry; entry !== group; entry = group.wheelNext as TimerEntry)
      this.#wheel.add(entry, entry.deadline - this.#begun, now)
  }
}

const all = new WeakMap<TimerWheel, TurnDeadlines>()

/** The one of `wheel`. */
export function turnDeadlinesOf(wheel: TimerWheel): TurnDeadlines {
  let deadlines = all.get(wheel)
  if (deadlines === undefined) all.set(wheel, (deadlines = new TurnDeadlines(wheel)))
  return deadlines
}
