import { realClock } from '../base/time/clock.ts'
import { errorColors } from './output.ts'

/** Work that takes no longer than this shows no progress. */
const PATIENCE_MS = 500
const REFRESH_MS = 200
const BAR = 24
const CLEAR_LINE = '\r\x1b[K'

/**
 * Runs `work`, and meanwhile shows one line on stderr, which goes when it ends. Nothing is shown where stderr is no
 * terminal.
 *
 * @param line text of the line after so many milliseconds
 */
export async function withProgress<T>(line: (elapsed: number) => string, work: () => Promise<T>): Promise<T> {
  const { stderr } = process
  if (!stderr.isTTY) return work()
  const begin = realClock.now()
  let isShown = false
  const show = (): void => {
    const width = Math.max(10, (stderr.columns ?? 80) - 1)
    stderr.write(CLEAR_LINE + errorColors.dim(line(realClock.now() - begin).slice(0, width)).text)
    isShown = true
    timer = realClock.setTimeout(show, REFRESH_MS)
    timer.unref()
  }
  let timer = realClock.setTimeout(show, PATIENCE_MS)
  timer.unref()
  try {
    return await work()
  } finally {
    realClock.clearTimeout(timer)
    if (isShown) stderr.write(CLEAR_LINE)
  }
}

/** Progress of work whose length nobody knows: `calling /math/add … 3 s`. */
export function waitingFor(what: string): (elapsed: number) => string {
  return (elapsed) => `${what} … ${Math.floor(elapsed / 1_000)} s`
}

/** `[########----------------]  33 %`. */
export function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${String(Math.round(Math.min(1, share) * 100)).padStart(3)} %`
}
