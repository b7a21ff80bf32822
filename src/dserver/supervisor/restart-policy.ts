/** How often a process may be restarted, all reasons together. */
export interface RestartLimit {
  /** Maximum number of restarts in `window`. Default: 60. Infinity: no limit. */
  count?: number
  /** Milliseconds in which restarts are counted. Default: 60,000. */
  window?: number
  /** Beyond the limit a restart waits, or the state becomes Fatal. Default: `'wait'`. */
  action?: 'wait' | 'fatal'
}

/** How long to wait between two starts of a process. */
export interface BackoffSettings {
  /** Delay before the first restart, in milliseconds. */
  readonly first: number
  /** Longest delay in milliseconds. */
  readonly max: number
  /** Factor by which the delay grows with each further failure. */
  readonly factor: number
  /** Part of the delay that is random, from 0 to 1: with 0.5 a delay of 100 ms is 50 to 100 ms. */
  readonly jitter: number
  /** A run that lasted at least so many milliseconds ends the growth. */
  readonly resetAfter: number
}

/** Settings that decide whether and when a process starts again. */
export interface RestartSettings {
  readonly autoRestart: boolean | 'unexpected'
  readonly exitCodes: readonly number[]
  readonly startRetries: number
  readonly backoff: BackoffSettings
  readonly restartLimit: Readonly<Required<RestartLimit>>
}

/** One run of a process that has ended. */
export interface Run {
  /** Whether the process was ready. */
  readonly ready: boolean
  /** How long it lived, in milliseconds. */
  readonly lasted: number
  /** The exit code; null when a signal ended the process, undefined when it could not be spawned. */
  readonly code: number | null | undefined
  /** Whether a limit of memory or heartbeats ended it: then it starts again whatever its exit code is. */
  readonly limited: boolean
}

/** After a run comes another one after `delay` milliseconds, or the end. */
export type Decision = { readonly delay: number } | { readonly end: 'exited' | 'fatal'; readonly reason: string }

/** Decides after each run of a process what comes next. Holds at most as many times as the restart limit counts. */
export class RestartPolicy {
  readonly #settings: RestartSettings
  readonly #random: () => number
  /** Failures to start, one after the other. */
  #failedStarts = 0
  /** Runs that ended early, one after the other. */
  #short = 0
  /** When the latest restarts were due, oldest first. */
  readonly #restarts: number[] = []

  /** @param random a number from 0 up to 1 */
  constructor(settings: RestartSettings, random: () => number) {
    this.#settings = settings
    this.#random = random
  }

  /** Number of starts in a row that failed. */
  get failedStarts(): number {
    return this.#failedStarts
  }

  /** @param now monotonic milliseconds */
  next(run: Run, now: number): Decision {
    const { autoRestart, exitCodes, startRetries, backoff } = this.#settings
    if (run.lasted >= backoff.resetAfter && run.ready) this.#short = 0
    if (run.ready) {
      this.#failedStarts = 0
      if (!run.limited) {
        if (autoRestart === false) return { end: 'exited', reason: 'it is not restarted' }
        const expected = run.code !== null && run.code !== undefined && exitCodes.includes(run.code)
        if (autoRestart === 'unexpected' && expected) return { end: 'exited', reason: 'the exit code is expected' }
      }
    } else if (++this.#failedStarts >= startRetries) {
      return { end: 'fatal', reason: `${this.#failedStarts} starts failed` }
    }
    const delay = this.#delay(this.#short++)
    const wait = this.#limited(now + delay)
    if (wait > 0 && this.#settings.restartLimit.action === 'fatal') {
      const { count, window } = this.#settings.restartLimit
      return { end: 'fatal', reason: `more than ${count} restarts in ${window} ms` }
    }
    this.#note(now + delay + wait)
    return { delay: delay + wait }
  }

  #delay(failures: number): number {
    const { first, max, factor, jitter } = this.#settings.backoff
    const full = Math.min(max, first * factor ** Math.min(failures, 1000))
    return full * (1 - jitter * this.#random())
  }

  /** How long a restart at `due` has to wait until the window has room for it. */
  #limited(due: number): number {
    const { count, window } = this.#settings.restartLimit
    if (this.#restarts.length < count) return 0
    return Math.max(0, this.#restarts[this.#restarts.length - count] + window - due)
  }

  #note(time: number): void {
    const { count } = this.#settings.restartLimit
    if (count === Number.POSITIVE_INFINITY) return
    this.#restarts.push(time)
    if (this.#restarts.length > count) this.#restarts.shift()
  }
}
