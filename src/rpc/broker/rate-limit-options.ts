import { duration, flag, optionNames, requireFunction, requireOptions, requireText } from '../../base/check-options.ts'
import type { CtxSession } from '../../hooks/session-views.ts'
import type { Meta } from '../../message/meta.ts'
import { countOption, numberOption } from './check.ts'
import type { RateLimitStore } from './rate-limit-store.ts'

/** A CALL or PUSH, as limits see it. */
export interface LimitedMessage {
  /** Type of the message; replies are not limited. */
  readonly kind: 'call' | 'push' | 'reply'
  /** Service method, such as `/math/add`. */
  readonly serviceMethod: string
  /** Meta of the message: string values by key. */
  readonly meta: Meta
  /** The session that the message came on, or goes out on. */
  readonly session: CtxSession
}

/**
 * The messages that share a limit: all of the endpoint, those of one route, of one session, with one value of a meta
 * key, or with one text that a function returns. A message for which the function returns undefined is not limited;
 * neither is one without the meta key.
 */
export type LimitBy =
  | 'endpoint'
  | 'route'
  | 'session'
  | {
      /** The key whose values have a limit each. */
      meta: string
    }
  | ((message: LimitedMessage) => string | undefined)

/** Options of `rateLimit`. Durations are milliseconds. */
export interface RateLimitOptions {
  /** Messages per second, above 0. */
  rate: number
  /** Messages that may come at once after a quiet time, at least 1. Default: `rate`, or 1 if that is more. */
  burst?: number | undefined
  /** The messages that share a limit. Default: `session`. */
  by?: LimitBy | undefined
  /** Whether received messages are limited, or those that this side sends. Does not change. Default: `in`. */
  direction?: 'in' | 'out' | undefined
  /** Whether only CALLs, only PUSHes or both are limited. Default: `both`. */
  kind?: 'call' | 'push' | 'both' | undefined
  /**
   * Status code of refusals. Default: 429, which says that the caller sends too much; 503 for the limit of an endpoint
   * or route, which says that all together do.
   */
  code?: 429 | 503 | undefined
  /** Whether to count what would be refused, and refuse nothing. Default: false. */
  dryRun?: boolean | undefined
  /** Maximum number of keys. Beyond it, keys that are new share one limit. Default: 10,000. */
  maxKeys?: number | undefined
  /** Name of the plugin, by which a store knows its buckets too. Default: `rate-limit`. */
  name?: string | undefined
  /** Store that shares the limits among processes, such as `redisStore(client)`. Does not change. Default: none. */
  store?: RateLimitStore | undefined
  /** Milliseconds to wait for the store; after it, and while it fails, this process limits for itself. Default: 50. */
  storeTimeout?: number | undefined
}

/** `RateLimitOptions`, complete and checked. */
export interface RateLimitSettings {
  readonly rate: number
  readonly burst: number
  readonly by: LimitBy
  readonly direction: 'in' | 'out'
  readonly calls: boolean
  readonly pushes: boolean
  readonly code: 429 | 503
  readonly dryRun: boolean
  readonly maxKeys: number
  readonly name: string
  readonly store: RateLimitStore | undefined
  readonly storeTimeout: number
}

const known = optionNames<RateLimitOptions>({
  rate: true,
  burst: true,
  by: true,
  direction: true,
  kind: true,
  code: true,
  dryRun: true,
  maxKeys: true,
  name: true,
  store: true,
  storeTimeout: true,
})

/** Highest rate that a bucket can count by the millisecond and in a script of Redis. */
const MAX_RATE = 1e9

/**
 * Checks the options and adds the defaults.
 *
 * @throws TypeError or RangeError that names the option
 */
export function readRateLimit(options: RateLimitOptions): RateLimitSettings {
  requireOptions('options', options, known)
  const { by = 'session', direction = 'in', kind = 'both', name = 'rate-limit', store } = options
  const rate = numberOption('rate', options.rate, Number.NaN, 0.001, MAX_RATE)
  if (Number.isNaN(rate)) throw new RangeError('option rate must be given')
  if (direction !== 'in' && direction !== 'out') throw new TypeError("option direction must be 'in' or 'out'")
  if (kind !== 'call' && kind !== 'push' && kind !== 'both') throw new TypeError("option kind must be 'call', 'push' or 'both'")
  checkBy(by)
  requireText('name', name)
  if (name === '') throw new TypeError('option name must not be empty')
  const shared = by === 'endpoint' || by === 'route'
  const { code = shared ? 503 : 429 } = options
  if (code !== 429 && code !== 503) throw new RangeError(`option code must be 429 or 503, got ${String(code)}`)
  if (store !== undefined) {
    if (typeof Object(store).take !== 'function') throw new TypeError('option store must have the method take')
    if (by === 'session') throw new TypeError("option by must not be 'session' with a store: a session lives in one process")
  }
  return {
    rate,
    burst: numberOption('burst', options.burst, Math.max(1, rate), 1, MAX_RATE),
    by,
    direction,
    calls: kind !== 'push',
    pushes: kind !== 'call',
    code,
    dryRun: flag('dryRun', options.dryRun, false),
    maxKeys: countOption('maxKeys', options.maxKeys, 10_000, 1),
    name,
    store,
    storeTimeout: duration('storeTimeout', options.storeTimeout, 50, 1),
  }
}

function checkBy(by: LimitBy): void {
  if (by === 'endpoint' || by === 'route' || by === 'session') return
  if (typeof by === 'object' && by !== null && typeof by.meta === 'string' && by.meta !== '') return
  if (typeof by !== 'function') throw new TypeError("option by must be 'endpoint', 'route', 'session', { meta } or a function")
  requireFunction('by', by)
}
