import { TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'
import type { Connection } from './transport.ts'

/** Share of a second's messages that may pass when reading resumes. */
const REFILL = 1 / 20

/**
 * Throttles a session whose peer sends too much, by a token bucket of one second: reading is paused until the peer may
 * send again, so that unread messages stay with the peer. The clock is read once per bucket, not for each message.
 */
export class ReadThrottle extends TimerEntry {
  readonly #wheel: TimerWheel
  /** Messages per second; as many may arrive at once. */
  readonly #rate: number
  readonly #onSlowed: () => void
  readonly #now: () => number
  #tokens: number
  #since: number
  /** The connection whose reading is paused; undefined for none. */
  #paused: Connection | undefined

  /**
   * @param rate messages per second
   * @param onSlowed called whenever reading is paused
   * @param now monotonic milliseconds; default: the wheel's clock
   */
  constructor(wheel: TimerWheel, rate: number, onSlowed: () => void, now: () => number = () => wheel.now()) {
    super()
    this.#wheel = wheel
    this.#rate = rate
    this.#onSlowed = onSlowed
    this.#now = now
    this.#tokens = rate
    this.#since = now()
  }

  /** Counts a message received on `connection`. */
  count(connection: Connection): void {
    if (--this.#tokens < 1) this.#refill(connection)
  }

  #refill(connection: Connection): void {
    const now = this.#now()
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#since) * this.#rate) / 1000)
    this.#since = now
    if (this.#tokens >= 1 || this.#paused !== undefined) return
    this.#paused = connection
    connection.pauseReading()
    this.#onSlowed()
    const wanted = Math.max(1, this.#rate * REFILL)
    this.#wheel.add(this, Math.max(1, ((wanted - this.#tokens) * 1000) / this.#rate))
  }

  override expire(): void {
    const connection = this.#paused
    this.#paused = undefined
    connection?.resumeReading()
  }

  /** Resumes reading for good, because the session or its connection is closed. */
  stop(): void {
    this.#wheel.remove(this)
    this.expire()
  }
}
