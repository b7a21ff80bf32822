/**
 * Most messages that are processed off the loop at the same time: as many as libuv has threads, since more would only
 * use more memory.
 */
const MAX_JOBS = 4

let running = 0
const waiting: (() => void)[] = []

/** Number of running jobs in the whole process. */
export function jobsRunning(): number {
  return running
}

/**
 * Runs `job` once fewer than `MAX_JOBS` others run, in the order of the calls. This bounds the decompressed bytes of
 * all sessions together.
 */
export async function runJob<T>(job: () => Promise<T>): Promise<T> {
  if (running < MAX_JOBS) running++
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return await job()
  } finally {
    // Passes this place on to the job that has waited longest.
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}
