import type { Session } from '../../src/index.ts'

/** Milliseconds that all processes of the machine count alike. */
export const clock = (): number => performance.timeOrigin + performance.now()

interface Made {
  readonly at: number
  /** While the session had no connection: it waits for one. */
  readonly waits: boolean
  settled: number
  answered: boolean
}

/** Calls `/echo` and `/never` of a peer all the time, and notes when each call settles. */
export class Traffic {
  readonly session: Session
  readonly #timeout: number
  readonly #made: Made[] = []
  readonly #timer: NodeJS.Timeout
  /** Calls that are never answered are made too. Without deadlines they settle only when the connection is lost: not after that. */
  never: boolean

  /** @param timeout of each call; 0 for none */
  constructor(session: Session, timeout: number, never = true) {
    this.session = session
    this.never = never
    this.#timeout = timeout
    this.#timer = setInterval(() => {
      if (session.state === 'closed') return
      this.#call('/echo')
      if (this.never) this.#call('/never')
    }, 20)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  get open(): number {
    return this.#made.filter(({ settled }) => settled === 0).length
  }

  /** Calls that were made after this time and answered. */
  answeredSince(time: number): number {
    return this.#made.filter(({ at, answered }) => answered && at >= time).length
  }

  /** Most milliseconds that a call settled after its deadline. */
  get lateness(): number {
    return this.#most(
      () => true,
      ({ at, settled }) => settled - at - this.#timeout,
    )
  }

  /** Most milliseconds from `fault`, or from a later call, to its end; of calls made before `until` that had a connection. */
  longest(fault: number, until: number): number {
    return this.#most(
      ({ at, waits }) => at < until && !waits,
      ({ at, settled }) => settled - Math.max(at, fault),
    )
  }

  #most(counts: (made: Made) => boolean, value: (made: Made) => number): number {
    return this.#made.filter(counts).reduce((most, made) => Math.max(most, made.settled === 0 ? Infinity : value(made)), 0)
  }

  #call(method: string): void {
    const made: Made = { at: clock(), waits: !this.session.isOpen, settled: 0, answered: false }
    this.#made.push(made)
    const settle = (answered: boolean): void => {
      made.settled = clock()
      made.answered = answered
    }
    this.session.call(method, 1, { timeout: this.#timeout }).then(
      () => settle(true),
      () => settle(false),
    )
  }
}
