import { Timed, type TimerWheel } from './timer-wheel.ts'

/** Why a session was closed whose age passed. */
export const AGE_PASSED = 'the session reached its age'

/** The time a session may live (spec/behaviour.md §5.1): one entry of the timer wheel, and none without an age. */
export class SessionAge extends Timed {
  readonly #wheel: TimerWheel
  readonly #onPassed: () => void

  constructor(wheel: TimerWheel, onPassed: () => void) {
    super()
    this.#wheel = wheel
    this.#onPassed = onPassed
  }

  /** Counts `ms` from now, or not any more when that is 0. */
  start(ms: number): void {
    if (ms === 0) this.#wheel.remove(this)
    else this.#wheel.add(this, ms)
  }

  override expire(): void {
    this.#onPassed()
  }
}
