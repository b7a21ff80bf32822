import { duration, optionNames, requireOptions, whole } from '../../base/check-options.ts'

/** When nodes are ejected: get no more calls because too many failed. Durations are milliseconds. */
export interface HealthOptions {
  /**
   * Failures in a row that eject a node.
   * @default 5
   */
  readonly consecutiveFailures?: number | undefined
  /**
   * Share of failures, above 0 to 1, that ejects a node which got `minCalls` within `window`.
   * @default 0.5
   */
  readonly failureRate?: number | undefined
  /**
   * Answers within `window` below which `failureRate` is not looked at.
   * @default 20
   */
  readonly minCalls?: number | undefined
  /**
   * Milliseconds that outcomes count for `failureRate`.
   * @default 10,000
   */
  readonly window?: number | undefined
  /**
   * Milliseconds until the first probe of an ejected node: one call that shows whether it is well again. Doubled after
   * every probe that fails.
   * @default 5,000
   */
  readonly ejectionTime?: number | undefined
  /**
   * Milliseconds that doubling ends at.
   * @default 60,000
   */
  readonly maxEjectionTime?: number | undefined
  /**
   * Share of nodes, 0 to 1, that must not be ejected. When fewer are left, ejections are ignored until enough have
   * returned: most probably the fault is not the nodes', and the rest would be overloaded.
   * @default 0.3
   */
  readonly panicThreshold?: number | undefined
  /**
   * An answer counts as a failure when it takes this many times the median latency of the nodes that the same filters
   * leave, and more than 10 ms; Infinity for never. Requires three nodes that have answered, and a call without a key.
   * @default 10
   */
  readonly slowFactor?: number | undefined
}

/** `HealthOptions`, complete and checked. */
export type HealthSettings = { readonly [Name in keyof HealthOptions]-?: number }

const known = optionNames<HealthOptions>({
  consecutiveFailures: true,
  failureRate: true,
  minCalls: true,
  window: true,
  ejectionTime: true,
  maxEjectionTime: true,
  panicThreshold: true,
  slowFactor: true,
})
const MAX_COUNT = 1_000_000

/**
 * Checks the option `health` and adds the defaults.
 * @returns undefined for no ejections
 * @throws RangeError or TypeError that names the option
 */
export function readHealth(option: HealthOptions | boolean | undefined): HealthSettings | undefined {
  if (option === false) return undefined
  const given: HealthOptions = option === undefined || option === true ? {} : option
  requireOptions('option health', given, known, 'health.')
  const ejectionTime = duration('health.ejectionTime', given.ejectionTime, 5_000, 1)
  return {
    consecutiveFailures: whole('health.consecutiveFailures', given.consecutiveFailures ?? 5, 1, MAX_COUNT),
    failureRate: within('health.failureRate', given.failureRate ?? 0.5, Number.MIN_VALUE, 1),
    minCalls: whole('health.minCalls', given.minCalls ?? 20, 1, MAX_COUNT),
    window: duration('health.window', given.window, 10_000, 1),
    ejectionTime,
    maxEjectionTime: Math.max(ejectionTime, duration('health.maxEjectionTime', given.maxEjectionTime, 60_000, 1)),
    panicThreshold: within('health.panicThreshold', given.panicThreshold ?? 0.3, 0, 1),
    slowFactor: within('health.slowFactor', given.slowFactor ?? 10, 1, Infinity),
  }
}

function within(name: string, value: number, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new RangeError(`option ${name} must be a number from ${min} to ${max}, got ${String(value)}`)
}

/** Outcomes of one node's calls, and whether they eject it. */
export class NodeHealth {
  readonly #settings: HealthSettings
  #consecutive = 0
  // Outcomes of the current half of the window, and of the half before it.
  #halfSince = -Infinity
  #calls = 0
  #failures = 0
  #callsBefore = 0
  #failuresBefore = 0
  /** Ejections in a row: each doubles the next one. */
  #ejections = 0
  #changedAt = -Infinity
  #probeAt = Infinity

  constructor(settings: HealthSettings) {
    this.#settings = settings
  }

  /** Time from which on a probe is due; Infinity while the node is not ejected. */
  get probeAt(): number {
    return this.#probeAt
  }

  get isEjected(): boolean {
    return this.#probeAt !== Infinity
  }

  /** Marks a probe as sent. The next one is due when this one has failed, or is lost for as long as an ejection. */
  probeSent(now: number): void {
    this.#probeAt = now + this.#ejectionTime()
  }

  /**
   * Counts the outcome of a call.
   * @param pickedAt time at which the node was picked for the call
   * @param isProbe whether the call was a probe
   * @returns whether the node was ejected or has returned by it
   */
  onOutcome(failed: boolean, pickedAt: number, isProbe: boolean, now: number): boolean {
    if (this.isEjected) {
      // Calls from before the ejection say nothing new.
      if (pickedAt < this.#changedAt) return false
      if (!failed) return this.#restore(now)
      if (isProbe) this.#eject(now)
      return false
    }
    if (pickedAt < this.#changedAt) return false
    this.#count(failed, now)
    if (!failed) {
      this.#consecutive = 0
      if (this.#ejections > 0 && now - this.#changedAt >= this.#ejectionTime()) this.#ejections = 0
      return false
    }
    this.#consecutive++
    if (!this.#isFailing()) return false
    this.#eject(now)
    return true
  }

  #count(failed: boolean, now: number): void {
    const age = now - this.#halfSince
    const half = this.#settings.window / 2
    if (age >= half) {
      const follows = age < 2 * half
      this.#callsBefore = follows ? this.#calls : 0
      this.#failuresBefore = follows ? this.#failures : 0
      this.#calls = 0
      this.#failures = 0
      this.#halfSince = now
    }
    this.#calls++
    if (failed) this.#failures++
  }

  #isFailing(): boolean {
    const { consecutiveFailures, minCalls, failureRate } = this.#settings
    if (this.#consecutive >= consecutiveFailures) return true
    const calls = this.#calls + this.#callsBefore
    return calls >= minCalls && this.#failures + this.#failuresBefore >= calls * failureRate
  }

  #eject(now: number): void {
    this.#ejections++
    this.#changedAt = now
    this.#probeAt = now + this.#ejectionTime()
  }

  #restore(now: number): boolean {
    this.#probeAt = Infinity
    this.#changedAt = now
    this.#consecutive = 0
    this.#halfSince = -Infinity
    this.#calls = this.#failures = 0
    return true
  }

  #ejectionTime(): number {
    const { ejectionTime, maxEjectionTime } = this.#settings
    return Math.min(maxEjectionTime, ejectionTime * 2 ** Math.min(Math.max(this.#ejections - 1, 0), 30))
  }
}
