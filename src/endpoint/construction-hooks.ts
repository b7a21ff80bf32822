import { isThenable } from '../base/async/thenable.ts'
import type { TimeLimit } from '../base/time/clock.ts'
import { within } from '../hooks/hook-timeout.ts'

/**
 * Results of hooks that run while an endpoint or its routes are made. A constructor cannot wait, so `listen` and
 * `dial` do.
 */
export class ConstructionHooks {
  readonly #pending: Promise<unknown>[] = []

  /** Calls hooks, and keeps the promises that they return. */
  run<Args extends unknown[]>(hooks: readonly ((...args: Args) => unknown)[] | null, ...args: Args): void {
    for (const hook of hooks ?? []) {
      const result = hook(...args)
      if (isThenable(result)) this.add(result)
    }
  }

  add(result: PromiseLike<unknown>): void {
    const settled = Promise.resolve(result)
    settled.catch(() => {}) // `settled` reports it
    this.#pending.push(settled)
  }

  /**
   * Waits for all of them.
   *
   * @throws (rejects) what a hook failed with, 408 when it does not settle in time
   */
  async settled(limit: TimeLimit): Promise<void> {
    if (this.#pending.length > 0) await Promise.all(this.#pending.map((pending) => within(pending, limit)))
  }
}
