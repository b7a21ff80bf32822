import { TimerEntry, type TimerWheel } from '../../base/time/timer-wheel.ts'

/** Number of bytes for which an unfinished message gets its timeout again. The transports have the same rule. */
const STEP = 64 * 1024

/**
 * Grace for bytes that were not read because this process stalled, as a part of the timeout, and its maximum in
 * milliseconds.
 */
const GRACE_PART = 4
const MAX_GRACE_MS = 1000

/** Times the message that a peer has begun (`limits.frameTimeout`). */
export class FrameTimer extends TimerEntry {
  readonly #wheel: TimerWheel
  readonly #timeout: number
  readonly #onLate: () => void
  #running = false
  /** Number of bytes of the unfinished message, and of timeouts that they have earned. */
  #bytes = 0
  #steps = 0
  #grace = false

  constructor(wheel: TimerWheel, timeout: number, onLate: () => void) {
    super()
    this.#wheel = wheel
    this.#timeout = timeout
    this.#onLate = onLate
  }

  /**
   * Notes that a message is unfinished.
   *
   * @param bytes number of bytes just received
   * @param fresh whether the unfinished message began with these bytes
   */
  unfinished(bytes: number, fresh: boolean): void {
    if (this.#running && !fresh) {
      this.#bytes += bytes
      return
    }
    this.#running = true
    this.#bytes = bytes
    this.#steps = 1
    this.#grace = false
    this.#wheel.add(this, this.#timeout)
  }

  stop(): void {
    if (!this.#running) return
    this.#running = false
    this.#wheel.remove(this)
  }

  override expire(): void {
    if (this.#steps <= Math.floor(this.#bytes / STEP)) {
      this.#steps++
      this.#wheel.add(this, this.#timeout)
    } else if (!this.#grace) {
      this.#grace = true
      this.#wheel.add(this, Math.min(this.#timeout / GRACE_PART, MAX_GRACE_MS))
    } else {
      this.#running = false
      this.#onLate()
    }
  }
}
