import type { Clock } from '../../base/time/clock.ts'
import { onWake } from '../wake.ts'

/** Stands in for `base/time/sleep.ts`: also resolves when the page or its network returns. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const end = (): void => {
      clock.clearTimeout(timer)
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    const done = (): void => {
      end()
      resolve()
    }
    const onAbort = (): void => {
      end()
      reject(signal?.reason)
    }
    const timer = clock.setTimeout(done, ms)
    const cancel = onWake(done)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
