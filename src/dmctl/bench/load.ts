import { StatusError } from '../../base/errors/status.ts'
import { realClock } from '../../base/time/clock.ts'
import { Histogram } from './histogram.ts'

/** One call; rejects when it fails. */
export type Call = (connection: number) => Promise<unknown>

export interface LoadOptions {
  readonly connections: number
  /** Calls at a time, of all connections together: closed loop, and at most so many in an open one. */
  readonly inFlight: number
  /** Calls a second, whether answers come or not: open loop. Undefined for a closed loop. */
  readonly rate: number | undefined
  /** Milliseconds in which calls begin. */
  readonly duration: number
  readonly onProgress: (share: number, calls: number) => void
  readonly signal: AbortSignal
}

export interface LoadResult {
  readonly latencies: Histogram
  /** Failed calls by status code. */
  readonly failures: Map<string, number>
  /** Calls of an open loop that were due, and not made because `inFlight` calls were out. */
  skipped: number
  /** Milliseconds from the first call to the last answer. */
  elapsed: number
}

const PROGRESS_MS = 200

/**
 * Makes calls and measures them. In an open loop the time of a call counts from when it was due, so that a callee which
 * stalls is not flattered by the calls that were not made meanwhile.
 */
export async function runLoad(call: Call, options: LoadOptions): Promise<LoadResult> {
  const { now } = realClock
  const result: LoadResult = { latencies: new Histogram(), failures: new Map(), skipped: 0, elapsed: 0 }
  const begin = now()
  let shown = begin
  const one = async (connection: number, due: number): Promise<void> => {
    try {
      await call(connection)
      result.latencies.add(now() - due)
    } catch (error) {
      const name = error instanceof StatusError ? `${error.code} ${error.message}` : String(error)
      result.failures.set(name, (result.failures.get(name) ?? 0) + 1)
    }
    if (now() - shown < PROGRESS_MS) return
    shown = now()
    options.onProgress(Math.min(1, (shown - begin) / options.duration), result.latencies.count)
  }
  if (options.rate === undefined) await closedLoop(one, options, begin)
  else result.skipped = await openLoop(one, options, options.rate, begin)
  result.elapsed = now() - begin
  return result
}

type One = (connection: number, due: number) => Promise<void>

async function closedLoop(one: One, { connections, inFlight, duration, signal }: LoadOptions, begin: number): Promise<void> {
  const { now } = realClock
  const loops = Array.from({ length: inFlight }, async (_, i) => {
    while (now() - begin < duration && !signal.aborted) await one(i % connections, now())
  })
  await Promise.all(loops)
}

async function openLoop(one: One, options: LoadOptions, rate: number, begin: number): Promise<number> {
  const { now } = realClock
  const { connections, inFlight, duration, signal } = options
  const out = new Set<Promise<void>>()
  let skipped = 0
  for (let i = 0; ; ) {
    const time = now() - begin
    for (; i < (Math.min(time, duration) / 1_000) * rate; i++) {
      if (out.size >= inFlight) {
        skipped++
        continue
      }
      const made = one(i % connections, begin + (i * 1_000) / rate).then(() => {
        out.delete(made)
      })
      out.add(made)
    }
    if (time >= duration || signal.aborted) break
    await new Promise<void>((resolve) => realClock.setTimeout(resolve, 1))
  }
  await Promise.all(out)
  return skipped
}
