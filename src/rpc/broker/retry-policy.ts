import { MAX_DURATION, optionNames, requireFunction, requireOptions } from '../../base/check-options.ts'
import { Code, StatusError } from '../../base/errors/status.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { countOption } from './check.ts'
import { Notifier } from './notify.ts'
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'

/** Options of a retry policy. */
export interface RetryOptions {
  /** Maximum number of attempts of one call, the first included. Default: 3. */
  attempts?: number | undefined
  /** Delays between attempts. Default: 25 ms, doubling up to 1 s, with full jitter. */
  backoff?: BackoffOptions | undefined
  /**
   * Limit on all retries together: options, which `update` applies to the budget in use, or a `RetryBudget`, which
   * policies and hedges may share. Default: 10 % of the requests.
   */
  budget?: RetryBudgetOptions | RetryBudget | undefined
  /**
   * Whether an idempotent call is retried after `error`, whose call may have run. Default: after 102, 105, 408, 502 and
   * 503.
   */
  retryOn?: ((error: StatusError) => boolean) | undefined
}

/** A call of which an attempt has failed. */
export interface FailedAttempt {
  /** Number of attempts made, the failed one included: 1 for the first. */
  readonly attempt: number
  /** Whether running the call twice is harmless. */
  readonly idempotent: boolean
  /** Deadline of the call by the policy's clock; 0 for none. */
  readonly expires: number
  /** Whether the next attempt would go to another node. Then it need not wait for the time that this node asked for. */
  readonly elsewhere: boolean
}

/** Counts since the policy was made. */
export interface RetryStats {
  /** Retries that were allowed. */
  retries: number
  /** Failures after which the call may have run, or would only fail again. */
  final: number
  /** Retries that would not have ended before the deadline. */
  late: number
  /** Retries beyond the maximum number of attempts. */
  spent: number
  /** Retries that the budget did not allow. */
  refused: number
}

/** Events of a retry policy. */
export interface RetryEvents {
  /** A call is about to be retried. */
  retry: [event: { error: StatusError; attempt: number; delay: number }]
}

const known = optionNames<RetryOptions>({ attempts: true, backoff: true, budget: true, retryOn: true })

/** Codes after which an idempotent call is retried: connection, node or time was the cause, not the call. */
const TRANSIENT: ReadonlySet<number> = new Set([
  Code.ConnectionClosed,
  Code.DialFailed,
  Code.HandleTimeout,
  Code.BadGateway,
  Code.ServiceUnavailable,
])

/**
 * Whether the call of this error surely never ran: it was not sent, or its callee refused it before the handler
 * (`StatusError.unsent`, `StatusError.retryAfter`). The code alone does not tell, because a callee may pass on the
 * error of a call of its own.
 */
export function neverRan(error: unknown): boolean {
  return error instanceof StatusError && (error.unsent === true || error.retryAfter !== undefined)
}

/** Decides whether a call that failed is made again, and when. */
export class RetryPolicy extends Notifier<RetryEvents & Record<never, never>> {
  /** Counts since the policy was made. */
  readonly stats: RetryStats = { retries: 0, final: 0, late: 0, spent: 0, refused: 0 }
  readonly #now: () => number
  readonly #clock: Clock
  #backoff: Backoff
  #budget: RetryBudget | undefined
  #given: RetryOptions = {}
  #attempts = 1
  #retryOn: (error: StatusError) => boolean = isTransient

  /** @throws TypeError or RangeError that names the option */
  constructor(options: RetryOptions = {}, clock: Clock = realClock) {
    super()
    this.#clock = clock
    this.#now = clock.now
    this.#backoff = new Backoff({}, clock)
    this.update(options)
  }

  /**
   * Changes the given options; others stay as they are.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: RetryOptions): void {
    requireOptions('option retry', options, known, 'retry.')
    const given = { ...this.#given, ...options }
    const attempts = countOption('retry.attempts', given.attempts, 3, 1)
    requireFunction('retry.retryOn', given.retryOn)
    const backoff = new Backoff(given.backoff, this.#clock)
    const { budget } = options
    if (budget instanceof RetryBudget) this.#budget = budget
    else if (this.#budget === undefined) this.#budget = new RetryBudget(budget, this.#clock)
    else if (budget !== undefined) this.#budget.update(budget)
    this.#backoff = backoff
    this.#given = given
    this.#attempts = attempts
    this.#retryOn = given.retryOn ?? isTransient
  }

  /** The limit on all retries together. */
  get budget(): RetryBudget {
    return this.#budget as RetryBudget
  }

  /** Counts a call, whatever becomes of it. Required once per call, for the budget. */
  onRequest(): void {
    this.budget.onRequest()
  }

  /**
   * Decides about a failed attempt. A retry that is allowed is taken from the budget.
   *
   * @returns milliseconds after which to make the next attempt, or -1 to give up
   */
  next(error: unknown, { attempt, idempotent, expires, elsewhere }: FailedAttempt): number {
    const { stats } = this
    if (!(error instanceof StatusError) || !this.#mayRetry(error, idempotent)) {
      stats.final++
      return -1
    }
    if (attempt >= this.#attempts) {
      stats.spent++
      return -1
    }
    const delay = this.#delay(error, attempt, elsewhere)
    if (expires !== 0 && this.#now() + delay >= expires) {
      stats.late++
      return -1
    }
    if (!this.budget.tryRetry()) {
      stats.refused++
      return -1
    }
    stats.retries++
    this.notify('retry', { error, attempt: attempt + 1, delay })
    return delay
  }

  #mayRetry(error: StatusError, idempotent: boolean): boolean {
    return neverRan(error) || (idempotent && this.#retryOn(error))
  }

  #delay(error: StatusError, attempt: number, elsewhere: boolean): number {
    // Another node need not be spared because this one was not reached.
    if (elsewhere && attempt === 1 && error.unsent === true && error.retryAfter === undefined) return 0
    const delay = this.#backoff.delay(attempt - 1)
    return elsewhere || error.retryAfter === undefined ? delay : Math.min(error.retryAfter + delay, MAX_DURATION)
  }
}

function isTransient({ code }: StatusError): boolean {
  return TRANSIENT.has(code)
}
