import { append, type TimerEntry, TimerList, type TimerWheel } from './timer-wheel.ts'

const settled = Promise.resolve()

/**
 * Adds entries to a wheel that come by the dozen in one turn of the loop, as calls do. Reading the clock takes 55 ns
 * (Node 20, x64), so it is read for the first entry and, once the promises of the turn have settled, for all others:
 * the timeout of those counts from then on, when the first timer could fire.
 */
export class TurnDeadlines {
  readonly #wheel: TimerWheel
  /** The others of this turn, whose deadlines count from `#begun`. */
  readonly #later = new TimerList()
  readonly #endTurn = (): void => this.#count()
  /** Time of the turn's first entry; -1 before it. */
  #begun = -1

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /** As `TimerWheel.add` does. */
  add(entry: TimerEntry, timeoutMs: number): void {
    if (this.#begun < 0) {
      this.#begun = this.#wheel.now()
      this.#wheel.add(entry, timeoutMs, this.#begun)
      settled.then(this.#endTurn)
    } else {
      this.#wheel.remove(entry)
      entry.deadline = this.#begun + timeoutMs
      append(this.#later, entry)
    }
  }

  #count(): void {
    const begun = this.#begun
    this.#begun = -1
    if (this.#later.wheelNext === this.#later) return
    const now = this.#wheel.now()
    for (let entry = this.#later.wheelNext as TimerEntry; entry !== this.#later; entry = this.#later.wheelNext as TimerEntry)
      this.#wheel.add(entry, entry.deadline - begun, now)
  }
}

const all = new WeakMap<TimerWheel, TurnDeadlines>()

/** The one of `wheel`. */
export function turnDeadlinesOf(wheel: TimerWheel): TurnDeadlines {
  let deadlines = all.get(wheel)
  if (deadlines === undefined) all.set(wheel, (deadlines = new TurnDeadlines(wheel)))
  return deadlines
}
