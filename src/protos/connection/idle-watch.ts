import { TimerEntry, type TimerWheel } from '../../base/time/timer-wheel.ts'

/** Number of checks per timeout. A connection may therefore stay open a quarter longer. */
const CHECKS = 4

/** A connection that may be idle. */
interface Quiet {
  /** Whether neither side waits for anything on it. */
  readonly idle: boolean
  /** Counter that changes with each activity of the peer. */
  readonly activity: number
}

/** Closes a connection on which nothing happens for long. Messages cost nothing: a timer compares the counter. */
export class IdleWatch extends TimerEntry {
  readonly #wheel: TimerWheel
  readonly #connection: Quiet
  readonly #period: number
  readonly #onIdle: () => void
  #activity: number
  #idle = true
  #idleChecks = 0

  /** @param timeout milliseconds */
  constructor(wheel: TimerWheel, timeout: number, connection: Quiet, onIdle: () => void) {
    super()
    this.#wheel = wheel
    this.#connection = connection
    this.#period = timeout / CHECKS
    this.#onIdle = onIdle
    this.#activity = connection.activity
    wheel.add(this, this.#period)
  }

  stop(): void {
    this.#wheel.remove(this)
  }

  override expire(): void {
    const { idle, activity } = this.#connection
    this.#idleChecks = idle && this.#idle && activity === this.#activity ? this.#idleChecks + 1 : 0
    this.#idle = idle
    this.#activity = activity
    if (this.#idleChecks === CHECKS) this.#onIdle()
    else this.#wheel.add(this, this.#period)
  }
}
