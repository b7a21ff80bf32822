import { runInRoot } from '../async/root-context.ts'
import { type Clock, type ClockTimer, microtask, realClock } from './clock.ts'

/**
 * An object with a deadline, such as a pending call. The list links are in the object itself, so waiting allocates
 * nothing.
 */
export abstract class TimerEntry {
  /** Neighbours in the wheel; both null while not in it. Written by the wheel alone. */
  wheelNext: TimerEntry | null = null
  wheelPrev: TimerEntry | null = null
  /** Time of expiry in whole milliseconds of the wheel's clock. Kept after removal. */
  deadline = 0

  /**
   * Called once, after the wheel has removed this entry, outside of any `AsyncLocalStorage`. May add and remove any
   * entry.
   * @param late milliseconds since the deadline; many when the process was blocked
   */
  abstract expire(late: number): void
}

/** Milliseconds of lateness from which on the process must have been blocked: no timer is as inaccurate. */
const STALL = 100

/**
 * Text for the cause of a timeout that says that this process was blocked meanwhile (docs/spec/behaviour.md#stalls); ''
 * when it was not.
 * @param late milliseconds since the deadline
 */
export function stallText(late: number): string {
  return late < STALL ? '' : `; this process stood still for ${Math.floor(late)} ms or more`
}

/** A timer that can be started again and again, for waits that no object of their own stands for. */
export class ResettableTimer extends TimerEntry {
  readonly #wheel: TimerWheel
  readonly #act: () => void

  constructor(wheel: TimerWheel, act: () => void) {
    super()
    this.#wheel = wheel
    this.#act = act
  }

  get active(): boolean {
    return this.wheelNext !== null
  }

  /**
   * Starts the timer, or starts it again when it runs.
   * @param ms milliseconds from now; 0 stops it
   */
  start(ms: number): void {
    if (ms === 0) this.#wheel.remove(this)
    else this.#wheel.add(this, ms)
  }

  stop(): void {
    this.#wheel.remove(this)
  }

  override expire(): void {
    this.#act()
  }
}

/**
 * Head of a circular list. Its `deadline` is a lower bound of its members' deadlines, Infinity when it has no members.
 */
export class TimerList extends TimerEntry {
  constructor() {
    super()
    this.deadline = Infinity
    this.wheelNext = this
    this.wheelPrev = this
  }

  override expire(): void {}
}

const SLOTS = 1024
const SLOT_MASK = SLOTS - 1
/** Longest delay of setTimeout in milliseconds. For a later deadline the wheel wakes early and sleeps again. */
const MAX_DELAY = 2 ** 31 - 1

/**
 * Deadlines of one clock, all on a single unref'd timer. Entries are hashed by deadline into slots of one millisecond;
 * entries of later rounds share a slot with earlier ones and are distinguished by their deadline. Adding and removing
 * cost a few stores, since nearly every call is answered long before its deadline.
 *
 * A slot remembers a lower bound of its deadlines, which removal leaves alone unless the slot becomes empty. So the
 * timer may wake for an entry that was removed, at most once per slot and bound, but never each millisecond while all
 * deadlines are far away.
 */
export class TimerWheel {
  readonly #slots: readonly TimerList[] = Array.from({ length: SLOTS }, () => new TimerList())
  /**
   * Entries found due and not yet expired. They leave this list one by one, so that `expire` of one can remove another.
   */
  readonly #due = new TimerList()
  readonly #clock: Clock
  /** `now` of the clock, kept apart because it is read for each call. */
  readonly #now: () => number
  readonly #wake = (): void => this.#sweep()
  #timer: ClockTimer | undefined
  /** Time at which the timer fires; Infinity when there is none. */
  #armedFor = Infinity

  constructor(clock: Clock = realClock) {
    this.#clock = clock
    this.#now = clock.now
  }

  /** Monotonic milliseconds of the wheel's clock. */
  now(): number {
    return this.#now()
  }

  /**
   * Calls `node.expire()` after at least `timeoutMs`, as soon as the loop gets to it. An entry already in the wheel is
   * moved.
   * @param timeoutMs above 0 and finite; an entry without a deadline must not be added
   * @param now the clock's current time, for a caller that adds many in one go; a stale one makes the deadline early
   */
  add(node: TimerEntry, timeoutMs: number, now: number = this.#now()): void {
    if (node.wheelNext !== null) this.remove(node)
    const deadline = Math.ceil(now + timeoutMs)
    node.deadline = deadline
    const slot = this.#slots[deadline & SLOT_MASK]
    append(slot, node)
    if (deadline < slot.deadline) {
      slot.deadline = deadline
      if (deadline < this.#armedFor) this.#arm(deadline, now)
    }
  }

  /** Removes `node`. Does nothing when it is not in the wheel. */
  remove(node: TimerEntry): void {
    const next = node.wheelNext
    if (next === null) return
    const prev = node.wheelPrev as TimerEntry
    prev.wheelNext = next
    next.wheelPrev = prev
    node.wheelNext = null
    node.wheelPrev = null
    // Only the head of a list is both neighbours of its last member.
    if (next === prev) next.deadline = Infinity
  }

  #arm(deadline: number, now: number): void {
    this.#clock.clearTimeout(this.#timer)
    this.#armedFor = deadline
    this.#timer = this.#clock.setTimeout(this.#wake, Math.min(Math.max(Math.ceil(deadline - now), 1), MAX_DELAY))
    this.#timer.unref()
  }

  #sweep(): void {
    const now = this.#now()
    // Deadlines are whole, and a timer may fire a little early: only deadlines that have passed are due.
    const tick = Math.floor(now)
    const first = this.#armedFor
    // While expire() runs, additions must not arm timers, because this function arms one afterwards.
    this.#armedFor = -Infinity
    for (let i = 0; i < SLOTS; i++) {
      // Starts at the slot the timer was armed for, so that entries that are due together expire in order of deadline.
      const slot = this.#slots[(first + i) & SLOT_MASK]
      if (slot.deadline <= tick) this.#collect(slot, tick)
    }
    this.#expireDue(now)
    let earliest = Infinity
    for (const slot of this.#slots) if (slot.deadline < earliest) earliest = slot.deadline
    this.#armedFor = Infinity
    this.#timer = undefined
    if (earliest !== Infinity) this.#arm(earliest, this.#now())
  }

  /** Moves due entries from `slot` to the due list and makes the slot's bound exact. */
  #collect(slot: TimerList, tick: number): void {
    let earliest = Infinity
    for (let node = slot.wheelNext as TimerEntry; node !== slot; ) {
      const next = node.wheelNext as TimerEntry
      if (node.deadline <= tick) {
        this.remove(node)
        append(this.#due, node)
      } else if (node.deadline < earliest) {
        earliest = node.deadline
      }
      node = next
    }
    slot.deadline = earliest
  }

  #expireDue(now: number): void {
    for (let node = this.#due.wheelNext as TimerEntry; node !== this.#due; node = this.#due.wheelNext as TimerEntry) {
      this.remove(node)
      try {
        runInRoot(node.expire, node, now - node.deadline)
      } catch (error) {
        // The other entries must expire all the same; the error becomes an uncaught exception of its own.
        microtask(() => {
          throw error
        })
      }
    }
  }
}

const wheels = new WeakMap<Clock, TimerWheel>()

/** The one wheel of `clock`. */
export function wheelOf(clock: Clock): TimerWheel {
  let wheel = wheels.get(clock)
  if (wheel === undefined) wheels.set(clock, (wheel = new TimerWheel(clock)))
  return wheel
}

/** Appends `node`, which is in no list. `TimerWheel.remove` takes it out again. */
export function append(head: TimerList, node: TimerEntry): void {
  const last = head.wheelPrev as TimerEntry
  node.wheelPrev = last
  node.wheelNext = head
  last.wheelNext = node
  head.wheelPrev = node
}
