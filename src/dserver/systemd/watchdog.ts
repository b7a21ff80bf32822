import { type ClockTimer, realClock } from '../../base/time/clock.ts'

/** Variables in which a service manager says how often it wants to hear from a process (sd_watchdog_enabled(3)). */
export const watchdogVariables = ['WATCHDOG_USEC', 'WATCHDOG_PID'] as const

/** Milliseconds within which WATCHDOG=1 must come; 0 when the manager does not ask this process for it. */
export function watchdogTime({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number {
  const microseconds = Number(WATCHDOG_USEC ?? 0)
  const isForUs = WATCHDOG_PID === undefined || WATCHDOG_PID === `${process.pid}`
  return isForUs && microseconds > 0 ? microseconds / 1000 : 0
}

/** Sends WATCHDOG=1 in half of the time that the manager gives, as long as the event loop turns. */
export class Watchdog {
  readonly #time: number
  readonly #send: () => void
  #timer: ClockTimer | undefined

  /** @param time milliseconds; 0 for no watchdog */
  constructor(time: number, send: () => void) {
    this.#time = time
    this.#send = send
  }

  start(): void {
    if (this.#time === 0 || this.#timer !== undefined) return
    this.#timer = realClock.setTimeout(() => {
      this.#timer = undefined
      this.#send()
      this.start()
    }, this.#time / 2)
    this.#timer.unref()
  }

  stop(): void {
    realClock.clearTimeout(this.#timer)
  }
}
