import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'

/** The context of a handler whose time is limited. */
interface Aging {
  /** Fires the signal with `reason`. */
  abort(reason: StatusError): void
}

/**
 * Limits the time of one running handler (docs/spec/behaviour.md#handler-time), by an entry of the timer wheel. Go
 * defines the status 408 and never sends it, because it refuses to send the reply too (docs/spec/go-defects.md W19).
 */
export class HandlerTimer extends TimerEntry {
  #passed = false
  readonly #wheel: TimerWheel
  readonly #context: Aging
  readonly #ms: number
  readonly #onPassed: (error: StatusError) => void

  /**
   * Starts the timer.
   *
   * @param ms milliseconds
   */
  constructor(context: Aging, ms: number, wheel: TimerWheel, onPassed: (error: StatusError) => void) {
    super()
    this.#context = context
    this.#ms = ms
    this.#onPassed = onPassed
    this.#wheel = wheel
    wheel.add(this, ms)
  }

  /**
   * Stops the timer: the handler has settled.
   *
   * @returns whether its time was over before
   */
  end(): boolean {
    this.#wheel.remove(this)
    return this.#passed
  }

  override expire(): void {
    this.#passed = true
    const cause = `the handler did not finish within ${this.#ms} ms`
    const error = new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), cause, { stack: false })
    this.#context.abort(error)
    this.#onPassed(error)
  }
}
