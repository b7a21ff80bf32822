import { TimerEntry, type TimerWheel } from '../../base/time/timer-wheel.ts'

/** A connection is looked at so many times in its time: it may stay a quarter longer. */
const LOOKS = 4

/** What is watched. */
export interface Quiet {
  /** Nobody waits for anything on it. */
  readonly idle: boolean
  /** Stands still while the peer is silent. */
  readonly activity: number
}

/** Closes a connection on which nothing happens for long. It costs messages nothing: the timer looks whether there were any. */
export class IdleWatch extends TimerEntry {
  readonly #wheel: TimerWheel
  readonly #connection: Quiet
  readonly #period: number
  readonly #onIdle: () => void
  #heard: number
  #idle = true
  #still = 0

  /** @param timeout milliseconds */
  constructor(wheel: TimerWheel, timeout: number, connection: Quiet, onIdle: () => void) {
    super()
    this.#wheel = wheel
    this.#connection = connection
    this.#period = timeout / LOOKS
    this.#onIdle = onIdle
    this.#heard = connection.activity
    wheel.add(this, this.#period)
  }

  stop(): void {
    this.#wheel.remove(this)
  }

  override expire(): void {
    const { idle, activity: heard } = this.#connection
    this.#still = idle && this.#idle && heard === this.#heard ? this.#still + 1 : 0
    this.#idle = idle
    this.#heard = heard
    if (this.#still === LOOKS) this.#onIdle()
    else this.#wheel.add(this, this.#period)
  }
}
