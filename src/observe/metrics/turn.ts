/** Number of ticks in a millisecond. 2^32 ticks, after which durations would be wrong, are nine hours. */
const TICKS_PER_MS = 128

const resolved = Promise.resolve()

/** Something with requests that ended in a turn. */
export interface TurnMember {
  /** @param ms how long the turn took */
  turnEnded(ms: number): void
}

/**
 * The requests of one turn, which are those of one batch that a transport delivered: they arrived together, and the
 * replies of handlers that do not wait leave together. So the clock is read at the begin and at the end of a turn, and
 * not for each request, whose handling takes little longer than a look at the clock.
 */
export class Turn {
  /** Milliseconds, as `Clock.now`. */
  now: () => number
  isOpen = false
  /** Ticks at which the turn began, an int32, so that a request can keep it without an allocation. */
  ticks = 0
  #began = 0
  /** The first `#used` ones have requests that ended in this turn. */
  readonly #touched: TurnMember[] = []
  #used = 0
  readonly #flush: () => void

  constructor(now: () => number) {
    this.now = now
    // One microtask later, so that an async function that waits for nothing has returned too.
    const close = (): void => this.#close()
    this.#flush = () => void resolved.then(close)
  }

  /** Ticks at which the turn began; begins one if none is open. */
  begin(): number {
    if (!this.isOpen) this.#open()
    return this.ticks
  }

  #open(): void {
    this.isOpen = true
    this.#began = this.now()
    this.ticks = (this.#began * TICKS_PER_MS) | 0
    void resolved.then(this.#flush)
  }

  /** Calls `member` when this turn ends. */
  add(member: TurnMember): void {
    this.#touched[this.#used++] = member
  }

  #close(): void {
    const ms = this.now() - this.#began
    this.isOpen = false
    const touched = this.#touched
    for (let i = 0; i < this.#used; i++) touched[i].turnEnded(ms)
    this.#used = 0
  }

  /** The time in ticks. */
  nowTicks(): number {
    return (this.now() * TICKS_PER_MS) | 0
  }

  /** Milliseconds since `ticks`. */
  since(ticks: number): number {
    return ((this.nowTicks() - ticks) >>> 0) / TICKS_PER_MS
  }
}
