import type { TracerProvider } from '@opentelemetry/api'
import { realClock } from '../../base/time/clock.ts'

/**
 * Sends the spans that a provider holds back. An exporter that fails or hangs delays the caller by at most `ms`.
 *
 * @returns whether all were sent in time
 */
export function flushSpans(provider: TracerProvider, ms: number): Promise<boolean> {
  const { forceFlush } = provider as { forceFlush?: unknown }
  if (typeof forceFlush !== 'function') return Promise.resolve(true)
  return new Promise((resolve) => {
    const timer = realClock.setTimeout(() => resolve(false), ms)
    const end = (isSent: boolean): void => {
      realClock.clearTimeout(timer)
      resolve(isSent)
    }
    // Rejects with an array of errors, which is no Error.
    new Promise((sent) => sent(forceFlush.call(provider))).then(
      () => end(true),
      () => end(false),
    )
  })
}
