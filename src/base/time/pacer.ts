import type { Clock, ClockTimer } from './clock.ts'

/** Longest pause in milliseconds. */
const MAX_PAUSE_MS = 1_000
/** A run is followed by a pause this many times as long, so that runs take at most a twentieth of the time. */
const SHARE = 20

/** Runs what follows each of many changes, at once after a quiet time, else as often as its own cost allows. */
export class Pacer {
  readonly #clock: Clock
  readonly #run: () => void
  #timer: ClockTimer | undefined
  #next = 0

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock
    this.#run = run
  }

  now(): void {
    this.stop()
    const began = this.#clock.now()
    this.#run()
    const ended = this.#clock.now()
    this.#next = ended + Math.min(SHARE * (ended - began), MAX_PAUSE_MS)
  }

  /** Runs when the pause after the last run is over. */
  soon(): void {
    const wait = this.#next - this.#clock.now()
    if (wait <= 0) this.now()
    else this.#timer ??= this.#clock.setTimeout(() => this.now(), wait)
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
