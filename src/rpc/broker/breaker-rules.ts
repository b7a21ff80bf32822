import { RollingWindow } from './rolling-window.ts'

/** State of a breaker: passing all calls, rejecting all or most, or passing a few to see whether the node recovered. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Settings of a rule. Durations are milliseconds. */
export interface RuleSettings {
  readonly window: number
  readonly buckets: number
  readonly minVolume: number
  /** Adaptive: multiple of the successes that may be sent. */
  readonly k: number
  /** Adaptive: milliseconds after which a call passes in any case. */
  readonly probeEvery: number
  /** Classic: share of failures that opens it. */
  readonly threshold: number
  /** Classic: number of failures in a row that opens it; Infinity for none. */
  readonly consecutive: number
  /** Classic: milliseconds until it is half-open. */
  readonly openFor: number
  /** Classic: number of calls that pass while half-open, and must succeed. */
  readonly probes: number
}

/** How a breaker decides. */
export interface BreakerRule {
  readonly state: BreakerState
  /** Whether a call may be made now. */
  allow(now: number): boolean
  /** Learns the result of a call that was allowed. */
  onResult(succeeded: boolean, now: number): void
  /** A call that was allowed has ended without a result that says anything. */
  onIgnored(): void
  /** Milliseconds until calls may pass again; 0 when not known. */
  wait(now: number): number
}

/**
 * Adaptive throttling as in Google's book on SRE: rejects as many calls as keeps those sent near `k` times those that
 * succeed. So it never closes the way altogether, and follows a node that serves a part of its calls.
 *
 * By that alone the calls to a node that was dead would only grow by `k` in each window. So a node that has not failed
 * since it succeeded again gets more and more of them, and after half a window all.
 */
export class AdaptiveRule implements BreakerRule {
  readonly #settings: RuleSettings
  readonly #window: RollingWindow
  readonly #random: () => number
  /** Time when a call passed last. */
  #passed: number
  /** Time of the first success since the last failure; -1 for none. */
  #wellSince = -1
  #rejecting = false

  constructor(settings: RuleSettings, random: () => number, now: number) {
    this.#settings = settings
    this.#random = random
    this.#window = new RollingWindow(settings.window, settings.buckets, now)
    this.#passed = now
  }

  get state(): BreakerState {
    return this.#rejecting ? 'half-open' : 'closed'
  }

  allow(now: number): boolean {
    const { k, minVolume, probeEvery } = this.#settings
    const window = this.#window
    window.advance(now)
    const excess = window.total - minVolume - k * window.good
    if (excess <= 0) {
      this.#rejecting = false
      this.#passed = now
      return true
    }
    this.#rejecting = true
    // With few calls the share alone might reject all for a long time. A clock that went back must not hold it open.
    const since = now - this.#passed
    if (since < probeEvery && since >= 0 && this.#random() * (window.total + 1) < excess * this.#doubt(now)) {
      window.add(false)
      return false
    }
    this.#passed = now
    return true
  }

  onResult(succeeded: boolean, now: number): void {
    this.#window.advance(now)
    this.#window.add(succeeded)
    if (!succeeded) this.#wellSince = -1
    else if (this.#wellSince < 0) this.#wellSince = now
  }

  /** Part of the rejections that is left: 1 while the node fails, then less and less. */
  #doubt(now: number): number {
    const since = this.#wellSince
    return since < 0 ? 1 : 1 - Math.min(1, Math.max(0, now - since) / (this.#settings.window / 2))
  }

  onIgnored(): void {}

  wait(): number {
    return 0
  }
}

/** The classic breaker: closed, open for a time after too many failures, then half-open for a few calls. */
export class ClassicRule implements BreakerRule {
  state: BreakerState = 'closed'
  readonly #settings: RuleSettings
  readonly #window: RollingWindow
  #inRow = 0
  /** Time when it opened, or when the probes began. */
  #since = 0
  /** Calls that have passed while half-open, and those of them that succeeded. */
  #probing = 0
  #succeeded = 0

  constructor(settings: RuleSettings, now: number) {
    this.#settings = settings
    this.#window = new RollingWindow(settings.window, settings.buckets, now)
  }

  allow(now: number): boolean {
    if (this.state === 'closed') return true
    const { openFor, probes } = this.#settings
    const since = now - this.#since
    if (this.state === 'open') {
      if (since < openFor && since >= 0) return false
      this.state = 'half-open'
      this.#beginProbes(now)
    } else if (this.#probing >= probes) {
      // Probes whose results never came must not keep it half-open forever.
      if (since < openFor && since >= 0) return false
      this.#beginProbes(now)
    }
    this.#probing++
    return true
  }

  onResult(succeeded: boolean, now: number): void {
    if (this.state === 'open') return // of a call that began before
    if (this.state === 'half-open') {
      if (!succeeded) this.#open(now)
      else if (++this.#succeeded >= this.#settings.probes) this.#close()
      return
    }
    const window = this.#window
    window.advance(now)
    window.add(succeeded)
    if (succeeded) {
      this.#inRow = 0
      return
    }
    const { threshold, minVolume, consecutive } = this.#settings
    const failures = window.total - window.good
    if (++this.#inRow >= consecutive || (window.total >= minVolume && failures >= threshold * window.total)) this.#open(now)
  }

  onIgnored(): void {
    if (this.state === 'half-open' && this.#probing > 0) this.#probing--
  }

  wait(now: number): number {
    return this.state === 'closed' ? 0 : Math.max(0, this.#since + this.#settings.openFor - now)
  }

  #beginProbes(now: number): void {
    this.#since = now
    this.#probing = 0
    this.#succeeded = 0
  }

  #open(now: number): void {
    this.state = 'open'
    this.#since = now
  }

  #close(): void {
    this.state = 'closed'
    this.#inRow = 0
    this.#window.clear()
  }
}
