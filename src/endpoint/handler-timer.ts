import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'

/** What a context offers to whoever ends its time. */
export interface Aging {
  /** `signal` fires with `reason`. */
  abort(reason: StatusError): void
}

/**
 * The time a handler may run (docs/spec/behaviour.md#handler-time): an entry of the timer wheel for each that runs, and none without an age. The status is
 * what Go defines and never sends, because it refuses the reply too (docs/spec/go-defects.md W19).
 */
export class HandlerTimer extends TimerEntry {
  #passed = false
  readonly #wheel: TimerWheel
  readonly #context: Aging
  readonly #ms: number
  readonly #onPassed: (error: StatusError) => void

  /** @param ms it is at once on `wheel` for so long */
  constructor(context: Aging, ms: number, wheel: TimerWheel, onPassed: (error: StatusError) => void) {
    super()
    this.#context = context
    this.#ms = ms
    this.#onPassed = onPassed
    this.#wheel = wheel
    wheel.add(this, ms)
  }

  /** The handler settled; true when that was too late. */
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
