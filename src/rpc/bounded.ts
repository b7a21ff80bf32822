import type { Clock } from '../base/time/clock.ts'

/**
 * Runs an operation of a registry, which may be a user's own: at most `ms` milliseconds, and no longer than until
 * `signal` fires, whether or not the operation obeys the signal that it gets.
 *
 * @throws (rejects) what the operation rejects with, an Error after `ms`, the reason of `signal`
 */
export function bounded<T>(
  clock: Clock,
  ms: number,
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const abort = new AbortController()
    const end = (reason: unknown): void => {
      abort.abort(reason)
      reject(reason)
    }
    const onAbort = (): void => end(signal?.reason)
    const timer = clock.setTimeout(() => end(new Error(`${what} took more than ${ms} ms`)), ms)
    signal?.addEventListener('abort', onAbort, { once: true })
    const clear = (): void => {
      clock.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const running = (async () => run(abort.signal))()
    running.then(resolve, reject).finally(clear)
  })
}
