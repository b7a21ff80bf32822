import { ResettableTimer, type TimerWheel } from '../base/time/timer-wheel.ts'

/** Cause of a session that was closed, or reconnects, because of its age. */
export const AGE_PASSED = 'the session reached its age'

/** The lifetime limit of a session. The timer is made with the first limit. */
export class Aging {
  readonly #wheel: TimerWheel
  readonly #onPassed: () => void
  #timer: ResettableTimer | undefined = undefined
  /** Maximum lifetime in milliseconds; 0 means unlimited. */
  age: number

  constructor(wheel: TimerWheel, age: number, onPassed: () => void) {
    this.#wheel = wheel
    this.#onPassed = onPassed
    this.age = age
  }

  /** Counts from now: the session begins to run, or its limit was changed. */
  restart(): void {
    if (this.age === 0 && this.#timer === undefined) return
    this.#timer ??= new ResettableTimer(this.#wheel, this.#onPassed)
    this.#timer.start(this.age)
  }

  stop(): void {
    this.#timer?.stop()
  }
}
