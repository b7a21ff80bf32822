import type { BusEvent } from './event.ts'
import type { Tier } from './names.ts'

/** Result of `on` and `once`, to take the listener off again. `using` does that at the end of a block. */
export interface Subscription {
  /** Whether the listener is still called. */
  readonly active: boolean
  /** Removes the listener at once, also from publishes under way. Does nothing when it was removed already. */
  unsubscribe(): void
  /** The same as `unsubscribe`. */
  [Symbol.dispose](): void
}

/** Options of a subscription. */
export interface SubscribeOptions {
  /** A whole number; listeners with a higher one run first, among equals the oldest. Default: `Priority.Normal`. */
  priority?: number | undefined
  /** Removes the listener when it is aborted. Default: none. */
  signal?: AbortSignal | undefined
}

/** Priorities by the names that Go has for them; any whole number is one. */
export const Priority = { Min: -300, Low: -200, BelowNormal: -100, Normal: 0, AboveNormal: 100, High: 200, Max: 300 } as const

export type AnyListener = (event: BusEvent) => unknown

/** A listener under its patterns. */
export class Registration implements Subscription {
  active = true
  readonly patterns: readonly string[]
  readonly listener: AnyListener
  readonly priority: number
  readonly isOnce: boolean
  /** Number in the order of subscribing. */
  readonly order: number
  readonly #signal: AbortSignal | undefined
  readonly #remove: (registration: Registration) => void

  constructor(
    patterns: readonly string[],
    listener: AnyListener,
    { priority = Priority.Normal, signal }: SubscribeOptions,
    isOnce: boolean,
    order: number,
    remove: (registration: Registration) => void,
  ) {
    this.patterns = patterns
    this.listener = listener
    this.priority = priority
    this.isOnce = isOnce
    this.order = order
    this.#signal = signal
    this.#remove = remove
  }

  get signal(): AbortSignal | undefined {
    return this.#signal
  }

  onAbort(): void {
    this.unsubscribe()
  }

  unsubscribe(): void {
    if (!this.active) return
    this.active = false
    this.#remove(this)
  }

  [Symbol.dispose](): void {
    this.unsubscribe()
  }
}

/** One listener in the order of a publish. */
export interface Step {
  readonly registration: Registration
  readonly tier: Tier
  /** Calls the listener, after removing it when it is for one event, under the alias when it listens to one. */
  readonly call: AnyListener
}

/** @param alias the name under which the listener gets the event; undefined: the event's own */
export function stepOf(registration: Registration, tier: Tier, alias: string | undefined): Step {
  const { listener, isOnce } = registration
  if (!isOnce && alias === undefined) return { registration, tier, call: listener }
  const call = (event: BusEvent): unknown => {
    if (isOnce) registration.unsubscribe()
    return listener(alias === undefined ? event : event.under(alias))
  }
  return { registration, tier, call }
}
