/** Messages worked on off the loop at the same time: as many as libuv has threads, so that more would only hold more memory. */
const MAX_JOBS = 4

let running = 0
const waiting: (() => void)[] = []

/** Jobs that run now, of the whole process. */
export function jobsRunning(): number {
  return running
}

/** Runs `job` once fewer than four others run, in the order asked for: what all sessions hold decompressed at once is bounded. */
export async function runJob<T>(job: () => Promise<T>): Promise<T> {
  if (running < MAX_JOBS) running++
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return await job()
  } finally {
    // Who waits takes this place over.
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}
