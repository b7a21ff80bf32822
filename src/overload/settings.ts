import { duration, requireOptions } from '../base/check-options.ts'

/** Overload protection of an endpoint. Durations are milliseconds. */
export interface OverloadOptions {
  /**
   * How long a CALL or PUSH may wait for its turn: one that waited longer is not started any more, and one that is expected to wait longer than
   * half of it (a fifth, while the overload lasts) is refused when it comes. Default 100.
   */
  queueTimeout?: number | undefined
  /** Most messages that wait, of all sessions together. Default 10,000. */
  maxQueued?: number | undefined
  /** Most bytes of messages that wait. Default 64 MiB. */
  maxQueuedBytes?: number | undefined
  /** Fewest handlers that may run at once, however slow they are. Default 4. */
  minConcurrency?: number | undefined
  /** Most handlers that may run at once. In between, latency and the loop's delay decide. Default: `limits.maxEndpointRunning`. */
  maxConcurrency?: number | undefined
  /** How many may run at once in the beginning. Default 100. */
  startConcurrency?: number | undefined
  /** Service methods that never wait and are never refused or counted, such as health checks and long polls. Heartbeats need no mention. */
  exempt?: readonly string[] | undefined
}

export interface Overload {
  readonly queueTimeout: number
  readonly maxQueued: number
  readonly maxQueuedBytes: number
  readonly minConcurrency: number
  readonly maxConcurrency: number
  readonly startConcurrency: number
  readonly exempt: readonly string[]
}

const known: ReadonlySet<string> = new Set([
  'queueTimeout',
  'maxQueued',
  'maxQueuedBytes',
  'minConcurrency',
  'maxConcurrency',
  'startConcurrency',
  'exempt',
])

/**
 * @param most default of `maxConcurrency`
 * @returns null: no protection
 * @throws RangeError or TypeError that names the option
 */
export function readOverload(option: boolean | OverloadOptions | undefined, most: number): Overload | null {
  if (option === undefined || option === false) return null
  if (option !== true && (typeof option !== 'object' || option === null))
    throw new TypeError('option overload must be true, false or an object')
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
