import { optionNames, requireOptions } from '../../base/check-options.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { numberOption } from './check.ts'
import { Notifier } from './notify.ts'

/** Options of a retry budget. */
export interface RetryBudgetOptions {
  /** Retries per request, from 0 to 1. Default: 0.1. */
  ratio?: number | undefined
  /** Retries per second that are allowed however few the requests are. Default: 10. */
  minPerSecond?: number | undefined
  /** Maximum number of unused retries that a quiet time leaves for later. Default: 100. */
  maxSaved?: number | undefined
}

/** Counts since the budget was made. */
export interface RetryBudgetStats {
  /** Requests, without their retries. */
  requests: number
  /** Retries and hedges that were allowed. */
  retries: number
  /** Retries and hedges that the budget did not allow. */
  refused: number
}

/** Events of a retry budget. */
export interface RetryBudgetEvents {
  /** A retry was refused, the first one since one was allowed. */
  exhausted: []
}

const known = optionNames<RetryBudgetOptions>({ ratio: true, minPerSecond: true, maxSaved: true })

/**
 * Bounds retries and hedges to a part of the requests, so that retries cannot multiply the load of servers that already
 * fail. Over any time, retries are at most `ratio` of the requests or `minPerSecond`, whichever is more, plus what was
 * saved before.
 */
export class RetryBudget extends Notifier<RetryBudgetEvents & Record<never, never>> {
  /** Counts since the budget was made. */
  readonly stats: RetryBudgetStats = { requests: 0, retries: 0, refused: 0 }
  readonly #now: () => number
  #given: RetryBudgetOptions = {}
  #ratio = 0
  #floor = 0
  #maxSaved = 0
  /** Retries that requests have paid for. Below 0 while more were allowed by the floor. */
  #saved = 0
  /** Retries left of the floor, and when they were counted. */
  #free = 0
  #freeAt: number
  #exhausted = false

  /** @throws TypeError or RangeError that names the option */
  constructor(options: RetryBudgetOptions = {}, clock: Pick<Clock, 'now'> = realClock) {
    super()
    this.#now = clock.now
    this.#freeAt = clock.now()
    this.update(options)
    this.#free = this.#floor
  }

  /**
   * Changes the given options; others stay as they are.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: RetryBudgetOptions): void {
    requireOptions('option budget', options, known, 'budget.')
    const given = { ...this.#given, ...options }
    const ratio = numberOption('budget.ratio', given.ratio, 0.1, 0, 1)
    const floor = numberOption('budget.minPerSecond', given.minPerSecond, 10, 0, Number.MAX_SAFE_INTEGER)
    const maxSaved = numberOption('budget.maxSaved', given.maxSaved, 100, 0, Number.MAX_SAFE_INTEGER)
    this.#given = given
    this.#ratio = ratio
    this.#floor = floor
    this.#maxSaved = maxSaved
    this.#saved = Math.min(this.#saved, maxSaved)
    this.#free = Math.min(this.#free, floor)
  }

  /** Counts a request, not its retries. */
  onRequest(): void {
    this.stats.requests++
    const saved = this.#saved + this.#ratio
    this.#saved = saved < this.#maxSaved ? saved : this.#maxSaved
  }

  /**
   * Takes one retry or hedge from the budget.
   *
   * @returns whether it may be made
   */
  tryRetry(): boolean {
    const now = this.#now()
    // A clock that went back adds nothing; at most one second of the floor is saved.
    if (now > this.#freeAt) this.#free = Math.min(this.#floor, this.#free + ((now - this.#freeAt) * this.#floor) / 1000)
    this.#freeAt = now
    if (this.#saved < 1 && this.#free < 1) {
      this.stats.refused++
      if (!this.#exhausted) {
        this.#exhausted = true
        this.notify('exhausted')
      }
      return false
    }
    // Charged to both, because otherwise the two would add up.
    this.#saved = Math.max(this.#saved - 1, -this.#maxSaved)
    this.#free = Math.max(this.#free - 1, 0)
    this.#exhausted = false
    this.stats.retries++
    return true
  }

  /** Number of retries that would be allowed now. */
  get available(): number {
    const passed = Math.max(0, this.#now() - this.#freeAt)
    const free = Math.min(this.#floor, this.#free + (passed * this.#floor) / 1000)
    return Math.floor(Math.max(this.#saved, free, 0))
  }
}
