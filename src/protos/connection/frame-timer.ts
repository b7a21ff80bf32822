import { TimerEntry, type TimerWheel } from '../../base/time/timer-wheel.ts'

/** A message earns its timeout again with each so many bytes. The transports have the same. */
const STEP = 64 * 1024

/** Time for what lies unread because this process stood still, as a part of the timeout and at most in milliseconds. */
const GRACE_PART = 4
const MAX_GRACE_MS = 1000

/** The time a peer has to complete a message it began (`limits.frameTimeout`). */
export class FrameTimer extends TimerEntry {
  readonly #wheel: TimerWheel
  readonly #timeout: number
  readonly #onLate: () => void
  #running = false
  /** Bytes of the unfinished message, and timeouts that they have earned so far. */
  #bytes = 0
  #steps = 0
  #grace = false

  constructor(wheel: TimerWheel, timeout: number, onLate: () => void) {
    super()
    this.#wheel = wheel
    this.#timeout = timeout
    this.#onLate = onLate
  }

  /** @param fresh the message that is unfinished began with these bytes */
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
