import { TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'
import type { Connection } from './transport.ts'

/** Share of a second's messages that may pass when the session is read again. */
const REFILL = 1 / 20

/**
 * Slows a session down whose peer sends too much (a token bucket of one second): it is not read until it may send again, so that the rest stays with the
 * peer. The clock is looked at once per so many messages, not for each.
 */
export class ReadThrottle extends TimerEntry {
  readonly #wheel: TimerWheel
  /** Messages a second; as many may come at once. */
  readonly #rate: number
  readonly #onSlowed: () => void
  readonly #now: () => number
  #tokens: number
  #since: number
  /** Whom it holds. */
  #held: Connection | undefined

  /** @param now monotonic milliseconds */
  constructor(wheel: TimerWheel, rate: number, onSlowed: () => void, now: () => number = () => wheel.now()) {
    super()
    this.#wheel = wheel
    this.#rate = rate
    this.#onSlowed = onSlowed
    this.#now = now
    this.#tokens = rate
    this.#since = now()
  }

  /** A message came on `wire`. */
  count(connection: Connection): void {
    if (--this.#tokens >= 1) return
    const now = this.#now()
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#since) * this.#rate) / 1000)
    this.#since = now
    if (this.#tokens >= 1 || this.#held !== undefined) return
    this.#held = connection
    connection.pauseReading()
    this.#onSlowed()
    const wanted = Math.max(1, this.#rate * REFILL)
    this.#wheel.add(this, Math.max(1, ((wanted - this.#tokens) * 1000) / this.#rate))
  }

  override expire(): void {
    const connection = this.#held
    this.#held = undefined
    connection?.resumeReading()
  }

  /** The session is over, or its connection. */
  stop(): void {
    this.#wheel.remove(this)
    this.expire()
  }
}
