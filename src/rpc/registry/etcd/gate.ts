import type { Clock } from '../../../base/time/clock.ts'

/** Lets a few tasks run at a time. The others wait for their turn, but not longer than a time limit. */
export class Gate {
  readonly #clock: Clock
  readonly #size: number
  readonly #patience: number
  readonly #waiting = new Set<() => void>()
  #running = 0

  /** @param patience milliseconds after which a task runs whatever else does, so that each one fails in time */
  constructor(size: number, patience: number, clock: Clock) {
    this.#size = size
    this.#patience = patience
    this.#clock = clock
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#size) await this.#turn()
    this.#running++
    try {
      return await task()
    } finally {
      this.#running--
      const [next] = this.#waiting
      next?.()
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go)
        this.#clock.clearTimeout(timer)
        resolve()
      }
      const timer = this.#clock.setTimeout(go, this.#patience)
      this.#waiting.add(go)
    })
  }
}
