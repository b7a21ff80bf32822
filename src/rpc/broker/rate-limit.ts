import { nodeCrypto } from '../../base/builtin.ts'
import { StatusError, statusText } from '../../base/errors/status.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { turnNow } from '../../base/time/turn-now.ts'
import type { Hook, ReadContext, WriteContext } from '../../hooks/hooks.ts'
import type { Plugin, PluginEndpoint } from '../../hooks/plugin.ts'
import { BoundedTable } from './bounded-table.ts'
import { contextFree } from './context-free.ts'
import { Notifier } from './notify.ts'
import { type LimitedMessage, type RateLimitOptions, type RateLimitSettings, readRateLimit } from './rate-limit-options.ts'
import { Shared, SharedBuckets } from './shared-buckets.ts'
import { TokenBucket } from './token-bucket.ts'

/** Counts of a rate limit since it was made. */
export interface RateLimitStats {
  /** Messages within the limit. */
  allowed: number
  /** Messages that were refused. */
  refused: number
  /** Messages that would have been refused, and were not because of `dryRun`. */
  wouldRefuse: number
  /** Messages that were decided on the limit which keys without a place share. */
  overflow: number
  /** Messages that this process decided for itself because the store failed. */
  local: number
  /** Number of times that the store began to fail. */
  storeFailures: number
}

/** Events of a rate limit. */
export interface RateLimitEvents {
  /** A message was refused, or would have been. `key` is that of its limit, '' for sessions and the endpoint. */
  refused: [event: { message: LimitedMessage; key: string; retryAfter: number; dryRun: boolean }]
  /** The store began to fail, or works again: then there is no error. */
  store: [event: { error: unknown }]
}

/** Longest key that is kept as it is; longer ones are hashed, because peers choose them. */
const MAX_KEY = 64

/**
 * A plugin that refuses what exceeds a rate, by `rateLimit`. In an endpoint, a group or a route, it refuses received
 * messages when they are routed and before their bodies are decoded; with `direction: 'out'` it fails calls and pushes
 * before they are sent.
 */
export class RateLimit extends Notifier<RateLimitEvents & Record<never, never>> implements Plugin {
  readonly name: string
  /** Counts since the plugin was made. */
  readonly stats: RateLimitStats = { allowed: 0, refused: 0, wouldRefuse: 0, overflow: 0, local: 0, storeFailures: 0 }
  readonly afterNewEndpoint?: (endpoint: PluginEndpoint) => void
  readonly beforeReadCallBody?: Hook<ReadContext>
  readonly beforeReadPushBody?: Hook<ReadContext>
  readonly beforeWriteCall?: Hook<WriteContext>
  readonly beforeWritePush?: Hook<WriteContext>
  #clock: Clock
  #now: () => number
  #given: RateLimitOptions
  #settings: RateLimitSettings
  #endpoint: TokenBucket | undefined
  #sessions = new WeakMap<object, TokenBucket>()
  readonly #keys: BoundedTable<TokenBucket>
  #shared: SharedBuckets | undefined

  constructor(options: RateLimitOptions, clock?: Clock) {
    super()
    const settings = readRateLimit(options)
    this.#given = { ...options }
    this.#settings = settings
    this.#clock = clock ?? realClock
    this.#now = turnNow(this.#clock)
    this.name = settings.name
    this.#keys = new BoundedTable(
      () => new TokenBucket(this.#settings.burst, this.#now()),
      (bucket, now) => bucket.isFull(this.#settings.rate, this.#settings.burst, now),
    )
    if (clock === undefined) {
      this.afterNewEndpoint = (endpoint) => {
        if (endpoint.clock === this.#clock) return
        this.#clock = endpoint.clock
        this.#now = turnNow(endpoint.clock)
        this.#forget()
      }
    }
    const call = (message: LimitedMessage): unknown => (this.#settings.calls ? this.#limit(message) : undefined)
    const push = (message: LimitedMessage): unknown => (this.#settings.pushes ? this.#limit(message) : undefined)
    if (settings.direction === 'in') {
      this.beforeReadCallBody = call
      this.beforeReadPushBody = push
    } else {
      this.beforeWriteCall = call
      this.beforeWritePush = push
    }
    this.#forget()
  }

  /**
   * Changes the given options; others stay as they are. Tokens that were used stay used, unless `by` changes.
   *
   * @throws TypeError or RangeError that names the option; then nothing changes
   */
  update(options: Partial<RateLimitOptions>): void {
    const given = { ...this.#given, ...options }
    const settings = readRateLimit(given)
    const { by, direction, store, name } = this.#settings
    if (settings.direction !== direction || settings.store !== store || settings.name !== name)
      throw new TypeError('options direction, name and store of a rate limit cannot change')
    this.#given = given
    this.#settings = settings
    if (settings.by !== by) this.#forget()
  }

  /** @internal */
  get [contextFree](): boolean {
    // Both are code of the user's. Listeners of events run outside of any context.
    const { by, store } = this.#settings
    return typeof by !== 'function' && store === undefined
  }

  /** Number of keys that are kept. */
  get keys(): number {
    return this.#keys.size + (this.#shared?.size ?? 0)
  }

  #forget(): void {
    const { store } = this.#settings
    this.#endpoint = undefined
    this.#sessions = new WeakMap()
    this.#keys.clear()
    this.#shared = store === undefined ? undefined : new SharedBuckets(store, this.#clock, () => this.#settings, this.#onStore)
  }

  readonly #onStore = (error: unknown): void => {
    if (error !== undefined) this.stats.storeFailures++
    this.notify('store', { error })
  }

  /**
   * Limits a message.
   *
   * @returns a promise when the store must be asked first
   * @throws StatusError (or rejects) when the message is refused
   */
  #limit(message: LimitedMessage): Promise<void> | undefined {
    const { by } = this.#settings
    const now = this.#now()
    if (by === 'session') {
      const { session } = message
      let bucket = this.#sessions.get(session)
      if (bucket === undefined) this.#sessions.set(session, (bucket = new TokenBucket(this.#settings.burst, now)))
      this.#take(bucket, message, '', now)
      return undefined
    }
    const key = keyOf(by, message)
    if (key === undefined) return undefined
    if (this.#shared !== undefined) {
      const taken = this.#shared.take(`${this.name}:${key}`, now)
      if (typeof taken !== 'number') return taken.then((later) => this.#onTaken(later, message, key))
      this.#onTaken(taken, message, key)
    } else {
      this.#local(message, key, now)
    }
    return undefined
  }

  #onTaken(taken: number, message: LimitedMessage, key: string): void {
    if (taken === Shared.Local) {
      this.stats.local++
      this.#local(message, key, this.#now())
    } else {
      this.#decide(taken, message, key)
    }
  }

  #local(message: LimitedMessage, key: string, now: number): void {
    const { burst, maxKeys } = this.#settings
    if (key === '') {
      this.#endpoint ??= new TokenBucket(burst, now)
      this.#take(this.#endpoint, message, key, now)
      return
    }
    const bucket = this.#keys.get(key, maxKeys, now)
    if (bucket === this.#keys.overflow) this.stats.overflow++
    this.#take(bucket, message, key, now)
  }

  #take(bucket: TokenBucket, message: LimitedMessage, key: string, now: number): void {
    const { rate, burst } = this.#settings
    this.#decide(bucket.take(rate, burst, now), message, key)
  }

  /**
   * @param wait milliseconds until there is a token; 0 when there was one
   * @throws StatusError when there was none
   */
  #decide(wait: number, message: LimitedMessage, key: string): void {
    if (wait === 0) {
      this.stats.allowed++
      return
    }
    const { dryRun, code, direction } = this.#settings
    const retryAfter = Math.ceil(wait)
    if (dryRun) this.stats.wouldRefuse++
    else this.stats.refused++
    this.notify('refused', { message, key, retryAfter, dryRun })
    if (dryRun) return
    const unsent = direction === 'out' ? true : undefined
    throw new StatusError(code, statusText(code), `over the limit ${this.name}`, { stack: false, retryAfter, unsent })
  }
}

/**
 * Limits the rate of calls and pushes by a token bucket: by endpoint, route, session, a meta key or a function; in this
 * process, or shared by several through `store`. What exceeds it is refused with 429, or 503 where all callers share
 * the limit, and with `retryAfter`: it never ran. A push that is refused is dropped.
 *
 * @example
 * const perTenant = rateLimit({ rate: 100, burst: 200, by: { meta: 'tenant' } })
 * new Endpoint({ plugins: [perTenant] })
 * perTenant.update({ rate: 50 })
 *
 * @param clock default: that of the endpoint; in a group or route, real time
 * @throws TypeError or RangeError that names the option
 */
export function rateLimit(options: RateLimitOptions, clock?: Clock): RateLimit {
  return new RateLimit(options, clock)
}

/** Key of the limit of a message; undefined when the message is not limited. */
function keyOf(by: RateLimitSettings['by'], message: LimitedMessage): string | undefined {
  if (by === 'endpoint') return ''
  if (by === 'route') return bounded(message.serviceMethod)
  const key = typeof by === 'function' ? by(message) : message.meta[(by as { meta: string }).meta]
  return key === undefined ? undefined : bounded(String(key))
}

function bounded(key: string): string {
  if (key.length <= MAX_KEY) return key
  return `sha256:${nodeCrypto().createHash('sha256').update(key).digest('base64url')}`
}
