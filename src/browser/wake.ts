import { page } from './page.ts'

// Events of a page after which a lost connection is best tried again at once.

let wakes = 0
const sleepers = new Set<() => void>()

/** Number of times that the page or its network returned. */
export function lastWake(): number {
  return wakes
}

/**
 * Calls `run` once when the page or its network returns.
 *
 * @returns a function that cancels this
 */
export function onWake(run: () => void): () => void {
  sleepers.add(run)
  return () => sleepers.delete(run)
}

function wake(): void {
  wakes++
  for (const run of [...sleepers]) {
    sleepers.delete(run)
    run()
  }
}

// Workers have only `online`.
page.addEventListener?.('online', wake)
page.addEventListener?.('pageshow', ({ persisted }) => {
  if (persisted) wake()
})
page.document?.addEventListener('resume', wake)
page.document?.addEventListener('visibilitychange', () => {
  if (page.document?.visibilityState === 'visible') wake()
})
