import { forgetAbort, whenAborted } from './when-aborted.ts'

/**
 * Settles as `promise` does, or rejects with the signal's reason when that fires first. `promise` goes on: others may
 * wait for it too.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const who = { onAbort: () => reject(signal.reason) }
    whenAborted(signal, who)
    promise.then(resolve, reject).finally(() => forgetAbort(signal, who))
  })
}
