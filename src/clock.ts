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
}

/** The system's. */
export const realClock: Clock = Object.freeze({
  now: () => performance.now(),
  setTimeout: (run: () => void, ms: number) => setTimeout(run, ms),
  clearTimeout: (timer: ClockTimer | undefined) => clearTimeout(timer as NodeJS.Timeout | undefined),
  random: Math.random,
})

/** How long something may take, and by which clock. */
export interface TimeLimit {
  readonly ms: number
  readonly clock: Clock
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason when that fires first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const onAbort = (): void => {
      clock.clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** As `AbortSignal.timeout`. */
export function timeoutSignal(clock: Clock, ms: number): AbortSignal {
  if (clock === realClock) return AbortSignal.timeout(ms)
  const abort = new AbortController()
  clock.setTimeout(() => abort.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms).unref()
  return abort.signal
}
