import { randomBytes } from 'node:crypto'

/** What `Clock.setTimeout` returns. */
export interface ClockTimer {
  /** It keeps no process alive. */
  unref(): unknown
}

/**
 * Time and chance, as far as the outcome of a run depends on them: an endpoint asks its clock and nothing else, so that a transport
 * with a clock of its own (`dmicro/testing`) repeats a run. Functions, no methods: they are taken out of the object.
 */
export interface Clock {
  /** Monotonic milliseconds, fractions allowed. */
  readonly now: () => number
  /** Calls `run` once, after at least `ms` milliseconds, unless `clearTimeout` comes first. */
  readonly setTimeout: (run: () => void, ms: number) => ClockTimer
  /** Harmless for a timer that is over, and for undefined. */
  readonly clearTimeout: (timer: ClockTimer | undefined) => void
  /** From 0 up to 1, as `Math.random`. */
  readonly random: () => number
  /** The time of day in milliseconds since 1970. Default: `now`, counted from the beginning of 2000. */
  readonly date?: () => number
  /** 128 bits in 22 letters. Default: such as nobody can guess, which a clock that repeats runs cannot give. */
  readonly secret?: (() => string) | undefined
}

/** The system's. */
export const realClock: Clock = Object.freeze({
  now: () => performance.now(),
  setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
  clearTimeout: (timer: ClockTimer | undefined) => clearTimeout(timer as NodeJS.Timeout | undefined),
  random: () => Math.random(),
  date: () => Date.now(),
})

/** The time of day by `clock`, in milliseconds since 1970. */
export function wallTime({ date, now }: Clock): number {
  return date === undefined ? EPOCH + now() : date()
}

const EPOCH = Date.UTC(2000, 0, 1)

/** How long something may take, and by which clock. */
export interface TimeLimit {
  readonly ms: number
  readonly clock: Clock
}

/** A name that only those know who are told it. */
export function newSecret({ secret }: Clock): string {
  return secret === undefined ? randomBytes(16).toString('base64url') : secret()
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason when that fires first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = (): void => {
      clock.clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

const LONG = 2 ** 31 - 1

/** The process does not end while this is held. For waits by the system's clock: who runs another clock keeps the process himself. */
export class KeepAlive {
  #holds = 0
  #timer: NodeJS.Timeout | undefined

  hold(): void {
    if (this.#holds++ === 0) this.#timer = this.#timer === undefined ? setInterval(() => {}, LONG) : this.#timer.ref()
  }

  release(): void {
    if (--this.#holds === 0) this.#timer?.unref()
  }
}
