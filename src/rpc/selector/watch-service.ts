import { reasonOf } from '../../base/errors/error-text.ts'
import type { Clock } from '../../base/time/clock.ts'
import { sleep } from '../../base/time/sleep.ts'
import type { Registry, Service } from '../registry/registry.ts'

/** Milliseconds between two attempts: doubled from the first to the last, each drawn from half of it to all. */
const FIRST_DELAY = 100
const MAX_DELAY = 10_000

/** Receives what a watch brings. */
interface WatchHandler {
  onSnapshot(services: readonly Service[]): void
  /** Called each time the registry is lost, or its watch ends. */
  onLost(reason: string): void
}

/** Watches `service` until `signal` fires, again after each loss. Never rejects. */
export async function watchService(
  registry: { readonly watch: Registry['watch'] },
  service: string,
  clock: Clock,
  signal: AbortSignal,
  handler: WatchHandler,
): Promise<void> {
  let delay = FIRST_DELAY
  while (!signal.aborted) {
    const began = clock.now()
    let reason = 'the watch ended'
    try {
      for await (const services of registry.watch(service, { signal })) {
        // A registry may ignore the signal.
        if (signal.aborted) return
        handler.onSnapshot(services)
      }
    } catch (error) {
      reason = reasonOf(error)
    }
    if (signal.aborted) return
    handler.onLost(reason)
    // A watch that held is a new beginning; one that is lost at once each time is not.
    if (clock.now() - began > MAX_DELAY) delay = FIRST_DELAY
    try {
      await sleep(clock, delay * (0.5 + clock.random() / 2), signal)
    } catch {
      return
    }
    delay = Math.min(delay * 2, MAX_DELAY)
  }
}
