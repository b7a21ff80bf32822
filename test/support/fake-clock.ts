import { setImmediate } from 'node:timers/promises'
import type { Clock, ClockTimer } from '../../src/base/time/clock.ts'
import { VirtualTime } from '../../src/testing/virtual-time.ts'

type Happening = ReturnType<VirtualTime['at']>

/** A clock that a test advances. Chance always says `chance`. */
export class FakeClock implements Clock {
  readonly #time = new VirtualTime()
  readonly chance: number

  constructor(chance = 0) {
    this.chance = chance
  }

  /** Number of timers that are set. */
  get timers(): number {
    return this.#time.size
  }

  /** Milliseconds by which this clock is ahead of its timers, as in a process that was stopped. */
  standstill = 0

  readonly now = (): number => this.#time.now + this.standstill
  readonly setTimeout = (run: () => void, ms: number): ClockTimer => this.#time.at(this.#time.now + ms, run)
  readonly clearTimeout = (timer: ClockTimer | undefined): void => this.#time.cancel(timer as Happening | undefined)
  readonly random = (): number => this.chance

  /** Lets time pass. What the timers started has run as far as it can without input from outside. */
  async advance(ms: number): Promise<void> {
    const end = this.#time.now + ms
    await settle()
    for (let next = this.#time.next; next !== undefined && next <= end; next = this.#time.next) {
      this.#time.step()
      await settle()
    }
    this.#time.skipTo(end)
  }
}

/** Resolves when promises that are settled have run what waited for them. */
export async function settle(): Promise<void> {
  await setImmediate()
  await setImmediate()
}
