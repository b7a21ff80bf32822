import { duration, optionNames, requireOptions } from '../../base/check-options.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'

/** Options of a backoff. Durations are milliseconds. */
export interface BackoffOptions {
  /** Upper bound in milliseconds of the delay before the first retry; it doubles with each further one. Default: 25. */
  base?: number | undefined
  /** Upper bound in milliseconds, where doubling ends. Default: 1,000. */
  max?: number | undefined
}

const known = optionNames<BackoffOptions>({ base: true, max: true })

/**
 * Delays before retries, with full jitter: each is random between 0 and a bound that doubles. So callers that failed
 * together do not retry together.
 */
export class Backoff {
  readonly #random: () => number
  #given: BackoffOptions = {}
  #base = 0
  #max = 0

  /** @throws TypeError or RangeError that names the option */
  constructor(options: BackoffOptions = {}, clock: Pick<Clock, 'random'> = realClock) {
    this.#random = clock.random
    this.update(options)
  }

  /**
   * Changes the given options; others stay as they are.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: BackoffOptions): void {
    requireOptions('option backoff', options, known, 'backoff.')
    const given = { ...this.#given, ...options }
    const max = duration('backoff.max', given.max, 1000, 0)
    const base = duration('backoff.base', given.base, Math.min(25, max), 0)
    if (base > max) throw new RangeError(`option backoff.base must not be above backoff.max, got ${base} and ${max}`)
    this.#given = given
    this.#base = base
    this.#max = max
  }

  /**
   * Milliseconds to wait before a retry.
   *
   * @param retry number of the retry, from 0
   */
  delay(retry: number): number {
    return this.#random() * Math.min(this.#max, this.#base * 2 ** retry)
  }
}
