/** Signals that a server takes. */
const taken = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
export type TakenSignal = (typeof taken)[number]

/**
 * Takes the signals from when it is made, before anything slow: without a handler they would kill the process, or be
 * ignored where it is pid 1. The handlers are never removed; that of SIGUSR1 would otherwise leave a signal that kills.
 */
export class Signals {
  #waiting: TakenSignal[] = []
  #handler: ((signal: TakenSignal) => void) | undefined

  constructor() {
    for (const signal of taken) {
      try {
        process.on(signal, () => this.#received(signal))
      } catch {
        // Not every system has every signal.
      }
    }
  }

  /** Hands over signals from now on, those first that came before. */
  handle(handler: (signal: TakenSignal) => void): void {
    this.#handler = handler
    const waiting = this.#waiting
    this.#waiting = []
    for (const signal of waiting) handler(signal)
  }

  #received(signal: TakenSignal): void {
    if (this.#handler !== undefined) this.#handler(signal)
    else if (!this.#waiting.includes(signal)) this.#waiting.push(signal)
  }
}
