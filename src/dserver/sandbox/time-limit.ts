import { realClock } from '../../base/time/clock.ts'

/** Something did not end in time. */
class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
}

/**
 * Resolves as `running` does, unless `ms` milliseconds pass before. `running` goes on then.
 * @param what subject of the error's text, such as `setup of hello`
 * @throws TimeLimitError (rejects)
 */
export function within<T>(ms: number, running: Promise<T>, what: string): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return running
  return new Promise((resolve, reject) => {
    const timer = realClock.setTimeout(() => reject(new TimeLimitError(`${what} did not end within ${ms} ms`)), ms)
    running.then(resolve, reject).finally(() => realClock.clearTimeout(timer))
  })
}
