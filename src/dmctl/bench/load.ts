import { StatusError } from '../../base/errors/status.ts'
import { realClock } from '../../base/time/clock.ts'
import { Histogram } from './histogram.ts'

/** One call; rejects when it fails, or when `signal` ends it. */
type Call = (connection: number, signal: AbortSignal) => Promise<unknown>

interface LoadOptions {
  readonly connections: number
  /** Calls at a time, of all connections together: closed loop, and at most so many in an open one. */
  readonly inFlight: number
  /** Calls a second, whether answers come or not: open loop. Undefined for a closed loop. */
  readonly rate: number | undefined
  /** Milliseconds in which calls begin. */
  readonly duration: number
  /** Ends the load: calls that are out are ended too, and not counted. */
  readonly signal: AbortSignal
}

/** The measurements of a load so far. */
export class LoadResult {
  readonly latencies = new Histogram()
  /** Failed calls by status code. */
  readonly failures = new Map<string, number>()
  /** Calls of an open loop that were due, and not made because `inFlight` calls were out. */
  skipped = 0
  /** Milliseconds from the first call to the last answer. */
  elapsed = 0

  get failed(): number {
    return [...this.failures.values()].reduce((sum, each) => sum + each, 0)
  }
}

/**
 * Makes calls and measures them. In an open loop the time of a call counts from when it was due, so that a callee which
 * stalls is not flattered by the calls that were not made meanwhile.
 *
 * @param result is filled while calls are made
 */
export async function runLoad(call: Call, options: LoadOptions, result: LoadResult): Promise<void> {
  const { now } = realClock
  const { signal } = options
  const begin = now()
  const one = async (connection: number, due: number): Promise<void> => {
    try {
      await call(connection, signal)
      result.latencies.add(now() - due)
    } catch (error) {
      if (signal.aborted) return
      const name = error instanceof StatusError ? `${error.code} ${error.message}` : String(error)
      result.failures.set(name, (result.failures.get(name) ?? 0) + 1)
    }
  }
  if (options.rate === undefined) await closedLoop(one, options, begin)
  else await openLoop(one, options, options.rate, begin, result)
  result.elapsed = now() - begin
}

type One = (connection: number, due: number) => Promise<void>

async function closedLoop(one: One, { connections, inFlight, duration, signal }: LoadOptions, begin: number): Promise<void> {
  const { now } = realClock
  const loops = Array.from({ length: inFlight }, async (_, i) => {
    while (now() - begin < duration && !signal.aborted) await one(i % connections, now())
  })
  await Promise.all(loops)
}

async function openLoop(one: One, options: LoadOptions, rate: number, begin: number, result: LoadResult): Promise<void> {
  const { now } = realClock
  const { connections, inFlight, duration, signal } = options
  const out = new Set<Promise<void>>()
  for (let i = 0; ; ) {
    const time = now() - begin
    for (; i < (Math.min(time, duration) / 1_000) * rate; i++) {
      if (out.size >= inFlight) {
        result.skipped++
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
}
