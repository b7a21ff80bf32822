import { Code, StatusError, statusText } from '../../base/errors/status.ts'
import type { BreakerSettings } from './breaker-options.ts'
import { AdaptiveRule, type BreakerRule, type BreakerState, ClassicRule } from './breaker-rules.ts'

/** The map of a breaker, as the breaker sees it. */
interface BreakerOwner {
  readonly now: () => number
  readonly random: () => number
  readonly settings: BreakerSettings
  readonly stats: BreakerStats
  /** Reports that the state of a breaker has changed. */
  changed(breaker: Breaker, before: BreakerState): void
}

/** Counts of all breakers of a map since it was made. */
export interface BreakerStats {
  /** Calls that were let pass. */
  allowed: number
  /** Calls that were rejected. */
  rejected: number
  /** Calls that succeeded. */
  successes: number
  /** Calls that failed; those whose verdict is `ignore` are not counted. */
  failures: number
  /** Changes from a closed state to any other. */
  opened: number
  /** Breakers that were forgotten because they were idle or too many. */
  forgotten: number
}

/**
 * The breaker of one method of one node. Each call asks `allow` first, and when that was true reports its result once,
 * by `onResult`.
 */
export class Breaker {
  /** The node, by the address that the registry has of it. */
  readonly node: string
  /** Service method, such as `/math/add`; '' for a breaker of all methods together. */
  readonly method: string
  readonly #owner: BreakerOwner
  #rule: BreakerRule
  #forced: 'open' | 'closed' | undefined
  #state: BreakerState = 'closed'
  /**
   * Time of the last `allow`.
   *
   * @internal
   */
  usedAt: number

  constructor(node: string, method: string, owner: BreakerOwner) {
    this.node = node
    this.method = method
    this.#owner = owner
    this.usedAt = owner.now()
    this.#rule = ruleOf(owner)
  }

  /** State as of the last `allow` or `onResult`. */
  get state(): BreakerState {
    return this.#state
  }

  /** Whether `open` or `close` was called, and not `automatic` since. */
  get isForced(): boolean {
    return this.#forced !== undefined
  }

  /**
   * Whether a call may be made now. Counts, so ask once per call.
   *
   * @param now by the clock, for a caller that knows it
   */
  allow(now: number = this.#owner.now()): boolean {
    const { stats } = this.#owner
    this.usedAt = now
    const allowed = this.#forced === undefined ? this.#rule.allow(now) : this.#forced === 'closed'
    if (allowed) stats.allowed++
    else stats.rejected++
    if (this.#forced === undefined && this.#rule.state !== this.#state) this.#update()
    return allowed
  }

  /**
   * Reports how a call ended that `allow` let pass.
   *
   * @param error what the call failed with; undefined when it succeeded
   * @param now by the clock, for a caller that knows it
   */
  onResult(error: unknown, now: number = this.#owner.now()): void {
    const { stats, settings } = this.#owner
    const verdict = error === undefined ? 'success' : settings.verdict(error)
    if (verdict === 'ignore') {
      this.#rule.onIgnored()
      return
    }
    const succeeded = verdict === 'success'
    if (succeeded) stats.successes++
    else stats.failures++
    this.#rule.onResult(succeeded, now)
    if (this.#forced === undefined && this.#rule.state !== this.#state) this.#update()
  }

  /** Rejects all calls until `close` or `automatic`. */
  open(): void {
    this.#force('open')
  }

  /** Lets all calls pass until `open` or `automatic`. */
  close(): void {
    this.#force('closed')
  }

  /** Ends what `open` or `close` began, and forgets all results. */
  automatic(): void {
    this.#forced = undefined
    this.restart()
  }

  /** The error of a call that `allow` rejected: 503, and nothing was sent. */
  refusal(): StatusError {
    const wait = this.#forced === undefined ? this.#rule.wait(this.#owner.now()) : 0
    const retryAfter = wait > 0 ? Math.ceil(wait) : undefined
    return new StatusError(Code.ServiceUnavailable, statusText(Code.ServiceUnavailable), `the circuit breaker of ${this.node} is open`, {
      stack: false,
      retryAfter,
      unsent: true,
    })
  }

  /**
   * Forgets all results, and applies new settings.
   *
   * @internal
   */
  restart(): void {
    this.#rule = ruleOf(this.#owner)
    if (this.#forced === undefined && this.#state !== 'closed') this.#update()
  }

  #force(to: 'open' | 'closed'): void {
    this.#forced = to
    if (this.#state !== to) this.#update()
  }

  #update(): void {
    const before = this.#state
    this.#state = this.#forced ?? this.#rule.state
    if (before === this.#state) return
    if (before === 'closed') this.#owner.stats.opened++
    this.#owner.changed(this, before)
  }
}

function ruleOf({ settings, random, now }: BreakerOwner): BreakerRule {
  return settings.adaptive ? new AdaptiveRule(settings, random, now()) : new ClassicRule(settings, now())
}
