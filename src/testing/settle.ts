import { turn } from '../base/time/clock.ts'
import { jobsRunning } from '../filtering/jobs.ts'

/**
 * Most turns of the loop in one instant, for code that asks for one turn after another, such as waits by
 * `setImmediate`.
 */
const MAX_TURNS = 1000
/** Number of turns where the runtime does not report its pending immediates. */
const BLIND_TURNS = 16

/** Number of networks that wait for their turn now: their own immediates do not count as work. */
let settling = 0

/** Work outside of virtual time, such as files: while there is any, time stands still. */
export class Outside {
  readonly #work = new Set<Promise<unknown>>()

  add<T>(work: PromiseLike<T>): Promise<T> {
    const promise = Promise.resolve(work)
    this.#work.add(promise)
    const done = (): void => void this.#work.delete(promise)
    promise.then(done, done)
    return promise
  }

  get size(): number {
    return this.#work.size
  }

  /** Resolves when any of the work is done. */
  async progress(): Promise<void> {
    await Promise.race([...this.#work].map((work) => work.catch(() => {})))
  }
}

/**
 * Resolves when everything that needs no time is done: promises, ticks, and turns of the loop (`setImmediate`), the
 * work in `outside`, and transfer filters that run on other threads.
 *
 * Why this is exact: Node runs all promises and ticks between two immediates. So when the immediate below runs, none of
 * them is left, and the runtime reports whether more immediates are pending.
 */
export async function settle(outside: Outside): Promise<void> {
  for (let turns = 0; ; ) {
    settling++
    await turn()
    settling--
    if (outside.size > 0) {
      await outside.progress()
      turns = 0
    } else if (jobsRunning() > 0) {
      turns = 0
    } else if (++turns >= MAX_TURNS || !immediatesLeft(turns)) {
      return
    }
  }
}

function immediatesLeft(turns: number): boolean {
  if (typeof process.getActiveResourcesInfo !== 'function') return turns < BLIND_TURNS
  let others = settling
  for (const name of process.getActiveResourcesInfo()) if (name === 'Immediate' && others-- === 0) return true
  return false
}
