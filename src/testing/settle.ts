import { turn } from '../base/time/clock.ts'
import { jobsRunning } from '../filtering/jobs.ts'

/** Turns of the loop in one instant for code that asks for one after the other, as who waits by `setImmediate` does. */
const MAX_TURNS = 1000
/** Where the runtime does not tell what is due, so many turns must do. */
const BLIND_TURNS = 16

/** Networks that wait for their turn now: their immediates are nobody's work. */
let settling = 0

/** Work that is done outside of virtual time, such as files: while there is some, time stands still. */
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

  /** Any of it is done. */
  async progress(): Promise<void> {
    await Promise.race([...this.#work].map((work) => work.catch(() => {})))
  }
}

/**
 * Everything that needs no time has been done when this resolves: promises, ticks, and turns of the loop (`setImmediate`). It also waits for what
 * `outside` tells of, and for transfer filters that run on other threads.
 *
 * Why it is exact: node runs all promises and ticks between two immediates. So when the one below runs, none of them is left, and
 * the runtime tells whether more immediates are.
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
