import type { ListenerTable, Plan } from './listener-table.ts'
import type { Step } from './subscription.ts'

/**
 * The way of one publish through its listeners. A listener that is removed meanwhile is left out. One that is added
 * meanwhile to a tier that has not begun is called, as in Go, where each list is read at its own turn.
 */
export class Cursor {
  readonly #table: ListenerTable
  #plan: Plan
  #at: number

  /** @param at number of steps that are done */
  constructor(table: ListenerTable, plan: Plan, at: number) {
    this.#table = table
    this.#plan = plan
    this.#at = at
  }

  /** The next listener; undefined at the end. */
  next(): Step | undefined {
    for (;;) {
      if (this.#plan.stale) this.#readLaterTiers()
      const step = this.#plan.steps[this.#at]
      if (step === undefined) return undefined
      this.#at++
      if (step.registration.active) return step
    }
  }

  /** Between two tiers, takes the later ones as they are now. */
  #readLaterTiers(): void {
    const { name, steps } = this.#plan
    const done = this.#at === 0 ? -1 : steps[this.#at - 1].tier
    if (steps[this.#at]?.tier === done) return
    this.#plan = this.#table.planOf(name)
    const next = this.#plan.steps.findIndex(({ tier }) => tier > done)
    this.#at = next < 0 ? this.#plan.steps.length : next
  }
}
