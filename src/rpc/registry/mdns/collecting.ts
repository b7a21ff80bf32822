import type { Clock, ClockTimer } from '../../../base/time/clock.ts'
import type { MdnsSettings } from './settings.ts'

/** Parts of the timeout after which the question is repeated when nobody has answered. */
const REPEATS = [0.25, 0.5]

/**
 * The time after a question in which answers are awaited: until none was new for a while, or until the timeout when
 * nobody answers. How many there will be is unknown.
 */
export class Collecting {
  /** Resolves when the answers are complete, as far as one can tell. */
  readonly done: Promise<void>
  readonly #clock: Clock
  readonly #quiet: number
  readonly #timers: ClockTimer[] = []
  #quietTimer: ClockTimer | undefined
  #resolve!: () => void
  #reject!: (reason: unknown) => void
  #isOver = false
  #answered = false

  /** @param ask sends the question */
  constructor({ clock, timeout, quiet }: MdnsSettings, ask: () => void) {
    this.#clock = clock
    this.#quiet = quiet
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // A failure is handled by those who wait, of whom there may be none.
    this.done.catch(() => {})
    this.#timers.push(clock.setTimeout(() => this.end(), timeout))
    for (const part of REPEATS) this.#timers.push(clock.setTimeout(() => this.#answered || ask(), timeout * part))
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Something new was answered. */
  heard(): void {
    if (this.#isOver) return
    this.#answered = true
    this.#clock.clearTimeout(this.#quietTimer)
    this.#quietTimer = this.#clock.setTimeout(() => this.end(), this.#quiet)
  }

  end(): void {
    if (this.#stop()) this.#resolve()
  }

  fail(reason: unknown): void {
    if (this.#stop()) this.#reject(reason)
  }

  #stop(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    for (const timer of [...this.#timers, this.#quietTimer]) this.#clock.clearTimeout(timer)
    return true
  }
}
