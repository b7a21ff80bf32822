import { Code, StatusError, statusText } from './status.ts'
import { Timed } from './timer-wheel.ts'

/** What a context offers to whoever ends its time. */
export interface Aging {
  /** `signal` fires with `reason`. */
  abort(reason: StatusError): void
}

/**
 * The time a handler may run (spec/behaviour.md §5.2): an entry of the timer wheel for each that runs, and none without an age. The status is
 * what Go defines and never sends, because it refuses the reply too (quirks W19).
 */
export class ContextAge extends Timed {
  /** The handler was too slow: what it still returns is dropped. */
  passed = false
  readonly #context: Aging
  readonly #ms: number
  readonly #onPassed: (error: StatusError) => void

  constructor(context: Aging, ms: number, onPassed: (error: StatusError) => void) {
    super()
    this.#context = context
    this.#ms = ms
    this.#onPassed = onPassed
  }

  override expire(): void {
    this.passed = true
    const cause = `the handler did not finish within ${this.#ms} ms`
    const error = new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), cause, { stack: false })
    this.#context.abort(error)
    this.#onPassed(error)
  }
}
