import { ResettableTimer, type TimerWheel } from '../base/time/timer-wheel.ts'

/** Why a session was closed, or reconnects, whose age passed. */
export const AGE_PASSED = 'the session reached its age'

/** How long a session may live. The timer is made with the first limit. */
export class Aging {
  readonly #wheel: TimerWheel
  readonly #onPassed: () => void
  #timer: ResettableTimer | undefined = undefined
  /** Milliseconds, 0 for no limit. */
  age: number

  constructor(wheel: TimerWheel, age: number, onPassed: () => void) {
    this.#wheel = wheel
    this.#onPassed = onPassed
    this.age = age
  }

  /** The session begins to run, or has another age from now on. */
  restart(): void {
    if (this.age === 0 && this.#timer === undefined) return
    this.#timer ??= new ResettableTimer(this.#wheel, this.#onPassed)
    this.#timer.start(this.age)
  }

  stop(): void {
    this.#timer?.stop()
  }
}
