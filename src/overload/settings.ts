import { duration, optionNames, requireOptions, shown } from '../base/check-options.ts'

/** Options of overload protection. Durations are milliseconds. */
export interface OverloadOptions {
  /**
   * Milliseconds that a CALL or PUSH may wait for its turn; one that waited longer is not started any more. One that is
   * expected to wait longer than half of this (a fifth, while the overload lasts) is refused at once. Default: 100.
   */
  queueTimeout?: number | undefined
  /** Maximum number of waiting messages of all sessions together. Default: 10,000. */
  maxQueued?: number | undefined
  /** Maximum number of bytes of waiting messages. Default: 64 MiB. */
  maxQueuedBytes?: number | undefined
  /**
   * Number of handlers that may always run at once, however slow they are. Default: 4, or `maxConcurrency` if that is
   * less.
   */
  minConcurrency?: number | undefined
  /**
   * Maximum number of handlers that run at once. Between minimum and maximum, latency and the lag of the event loop
   * decide. Default: `limits.maxEndpointRunning`.
   */
  maxConcurrency?: number | undefined
  /** Number of handlers that may run at once in the beginning. Default: 100. */
  startConcurrency?: number | undefined
  /**
   * Service methods that never wait and are never refused or counted, such as health checks and long polls. Heartbeats
   * are always exempt. Default: none.
   */
  exempt?: readonly string[] | undefined
}

/** `OverloadOptions`, complete and checked. */
export interface Overload {
  readonly queueTimeout: number
  readonly maxQueued: number
  readonly maxQueuedBytes: number
  readonly minConcurrency: number
  readonly maxConcurrency: number
  readonly startConcurrency: number
  readonly exempt: readonly string[]
}

const known = optionNames<OverloadOptions>({
  queueTimeout: true,
  maxQueued: true,
  maxQueuedBytes: true,
  minConcurrency: true,
  maxConcurrency: true,
  startConcurrency: true,
  exempt: true,
})

/**
 * Checks the option `overload` and adds the defaults.
 *
 * @param most default of `maxConcurrency`
 * @returns null for no protection
 * @throws RangeError or TypeError that names the option
 */
export function readOverload(option: boolean | OverloadOptions | undefined, most: number): Overload | null {
  if (option === undefined || option === false) return null
  if (option !== true && (typeof option !== 'object' || option === null))
    throw new TypeError(`option overload must be true, false or an object, got ${shown(option)}`)
  const given: OverloadOptions = option === true ? {} : option
  requireOptions('option overload', given, known, 'overload.')
  const { exempt = [] } = given
  const queueTimeout = duration('overload.queueTimeout', given.queueTimeout, 100, 1)
  if (!Array.isArray(exempt) || exempt.some((name) => typeof name !== 'string')) {
    throw new TypeError('option overload.exempt must be a list of service methods')
  }
  const maxConcurrency = count('maxConcurrency', given.maxConcurrency, most, 1)
  const minConcurrency = count('minConcurrency', given.minConcurrency, Math.min(4, maxConcurrency), 1)
  if (minConcurrency > maxConcurrency) throw new RangeError('option overload.minConcurrency must not be above overload.maxConcurrency')
  const start = count('startConcurrency', given.startConcurrency, 100, 1)
  return {
    queueTimeout,
    maxQueued: count('maxQueued', given.maxQueued, 10_000, 1),
    maxQueuedBytes: count('maxQueuedBytes', given.maxQueuedBytes, 64 * 1024 * 1024, 1),
    minConcurrency,
    maxConcurrency,
    startConcurrency: Math.min(Math.max(start, minConcurrency), maxConcurrency),
    exempt,
  }
}

function count(name: string, value: number | undefined, fallback: number, min: number): number {
  if (value === undefined) return fallback
  if (!Number.isSafeInteger(value) || value < min) {
    throw new RangeError(`option overload.${name} must be a whole number of at least ${min}, got ${String(value)}`)
  }
  return value
}
