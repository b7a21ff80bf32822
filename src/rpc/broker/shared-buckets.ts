import type { Clock } from '../../base/time/clock.ts'
import { BoundedTable } from './bounded-table.ts'
import type { Grant, RateLimitStore } from './rate-limit-store.ts'

/** Milliseconds for which tokens that were taken from the store may be used. */
const LEASE_MS = 1000
/** Milliseconds of the rate that one process takes at a time, so that little is lost when it needs no more. */
const LEASE_SHARE_MS = 100
/** Milliseconds over which the demand is measured. */
const DEMAND_MS = 100
/** Milliseconds between two attempts to use a store that failed. */
const RETRY_STORE_MS = 1000
/** Maximum number of questions that the store has not answered. */
const MAX_ASKED = 1000
/** Maximum number of answers that a message waits for, when others use up the tokens of each. */
const MAX_TIMES = 4
/** Maximum number of milliseconds for which a store that had too few tokens is not asked again. */
const MAX_PAUSE_MS = 10

/** Tokens of one key that this process has taken from the store. */
class Lease {
  tokens = 0
  /** Time when tokens were taken last. */
  takenAt = Number.NEGATIVE_INFINITY
  /** Time when the store had no tokens, and the milliseconds until it has some. */
  emptyAt = Number.NEGATIVE_INFINITY
  emptyFor = 0
  /** The question that is not answered yet. */
  asked: Promise<void> | undefined
  /** Messages that wait for the answer. */
  waiting = 0
  // Messages of the current and the last period.
  since = 0
  seen = 0
  seenBefore = 0

  /** Whether its tokens may still be used. */
  isValid(now: number): boolean {
    return within(now, this.takenAt, LEASE_MS)
  }

  /** Milliseconds until the store has tokens, 0 or less for now. */
  wait(now: number): number {
    return within(now, this.emptyAt, this.emptyFor) ? this.emptyAt + this.emptyFor - now : 0
  }

  /** Counts a message. */
  count(now: number): void {
    const passed = now - this.since
    if (passed >= DEMAND_MS || passed < 0) {
      this.seenBefore = passed < 2 * DEMAND_MS ? this.seen : 0
      this.seen = 0
      this.since = now
    }
    this.seen++
  }
}

/** Whether less than `span` has passed since `from`. A clock that went back must not keep anything as it is. */
function within(now: number, from: number, span: number): boolean {
  return now >= from && now - from < span
}

/** Settings that may change at run time. */
interface SharedSettings {
  readonly rate: number
  readonly burst: number
  readonly maxKeys: number
  /** Milliseconds to wait for the store. */
  readonly storeTimeout: number
}

/** Result of a message that the store decides about. */
export const Shared = {
  /** A number of this or more: milliseconds until there may be a token. */
  Taken: 0,
  /** The store is of no use now, so the process must limit by itself. */
  Local: -1,
} as const

/**
 * Token buckets in a store that several processes share. Tokens are taken from it ahead of their use, as many as were
 * needed lately, so that most messages wait for nothing, and together the processes never exceed the limit. While the
 * store has none it is not asked, so that a flood of messages is no flood for the store.
 */
export class SharedBuckets {
  readonly #store: RateLimitStore
  readonly #clock: Clock
  readonly #settings: () => SharedSettings
  readonly #onStore: (error: unknown) => void
  readonly #leases: BoundedTable<Lease>
  #asked = 0
  /** Time when the store failed last; undefined while it works. */
  #failedAt: number | undefined
  #probing = false

  /** @param onStore gets the error when the store begins to fail, and undefined when it works again */
  constructor(store: RateLimitStore, clock: Clock, settings: () => SharedSettings, onStore: (error: unknown) => void) {
    this.#store = store
    this.#clock = clock
    this.#settings = settings
    this.#onStore = onStore
    this.#leases = new BoundedTable(
      () => new Lease(),
      (lease, now) => lease.asked === undefined && !lease.isValid(now) && lease.wait(now) <= 0,
    )
  }

  /** Number of keys. */
  get size(): number {
    return this.#leases.size
  }

  /**
   * Takes a token.
   *
   * @returns as `Shared` names them; a promise when the store must be asked first
   */
  take(key: string, now: number): number | Promise<number> {
    const { maxKeys } = this.#settings()
    const lease = this.#leases.get(key, maxKeys, now)
    const place = lease === this.#leases.overflow ? '' : key
    if (this.#failedAt !== undefined) {
      if (!this.#probing && !within(now, this.#failedAt, RETRY_STORE_MS)) {
        this.#probing = true
        void this.#ask(place, lease)
      }
      return Shared.Local
    }
    lease.count(now)
    const taken = this.#fromLease(place, lease, now)
    if (taken >= 0) return taken
    if (lease.asked === undefined && this.#asked >= MAX_ASKED) return Shared.Local
    return this.#whenAnswered(place, lease)
  }

  /** Takes a token that is there; -1 when the store must be asked. */
  #fromLease(key: string, lease: Lease, now: number): number {
    const wait = lease.wait(now)
    if (lease.tokens > 0 && lease.isValid(now)) {
      lease.tokens--
      // The next tokens are on their way before these are used up.
      if (lease.tokens * 2 < lease.seenBefore && lease.asked === undefined && wait <= 0 && this.#asked < MAX_ASKED)
        void this.#ask(key, lease)
      return Shared.Taken
    }
    return wait > 0 ? Math.max(1, wait) : -1
  }

  async #whenAnswered(key: string, lease: Lease): Promise<number> {
    lease.waiting++
    let taken = -1
    for (let times = 0; times < MAX_TIMES && taken < 0 && (times === 0 || this.#failedAt === undefined); times++) {
      await (lease.asked ?? this.#ask(key, lease))
      if (this.#failedAt === undefined) taken = this.#fromLease(key, lease, this.#clock.now())
    }
    lease.waiting--
    if (this.#failedAt !== undefined) return Shared.Local
    return taken >= 0 ? taken : Math.max(1, 1000 / this.#settings().rate)
  }

  /** Asks the store for tokens. Never rejects. */
  #ask(key: string, lease: Lease): Promise<void> {
    const { rate, burst, storeTimeout } = this.#settings()
    // Ahead of their use only a share is taken; what waits uses its tokens at once.
    const ahead = Math.min(Math.max(lease.seen, lease.seenBefore), Math.floor((rate * LEASE_SHARE_MS) / 1000))
    const count = Math.min(Math.floor(burst), Math.max(1, lease.waiting, ahead))
    this.#asked++
    const asked = this.#answer(key, rate, burst, count, storeTimeout).then(
      (grant) => {
        this.#asked--
        lease.asked = undefined
        this.#onAnswer(lease, grant, count)
      },
      (error) => {
        this.#asked--
        lease.asked = undefined
        this.#onFailure(error)
      },
    )
    lease.asked = asked
    return asked
  }

  /**
   * Resolves to the store's answer.
   *
   * @throws (rejects) when it is late or makes no sense
   */
  #answer(key: string, rate: number, burst: number, count: number, timeout: number): Promise<Grant> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout)
      timer.unref()
      const answered = async (): Promise<Grant> => this.#store.take(key, rate, burst, count)
      answered().then(
        (grant) => {
          this.#clock.clearTimeout(timer)
          if (isGrant(grant, count)) resolve(grant)
          else reject(new TypeError('the answer makes no sense'))
        },
        (error) => {
          this.#clock.clearTimeout(timer)
          reject(error)
        },
      )
    })
  }

  #onAnswer(lease: Lease, { granted, wait }: Grant, count: number): void {
    const now = this.#clock.now()
    if (granted > 0) {
      lease.tokens = (lease.isValid(now) ? lease.tokens : 0) + granted
      lease.takenAt = now
    }
    if (granted < count) {
      const { rate, burst } = this.#settings()
      // Not asked for each token, but often enough that the bucket does not become full meanwhile. A wait that makes no
      // sense must not close a key for long.
      const pause = Math.min(MAX_PAUSE_MS, (500 * burst) / rate)
      lease.emptyAt = now
      lease.emptyFor = Math.max(pause, Math.min(wait, 1000 / rate))
    }
    if (this.#failedAt === undefined) return
    this.#probing = false
    this.#failedAt = undefined
    this.#onStore(undefined)
  }

  #onFailure(error: unknown): void {
    const failedBefore = this.#failedAt !== undefined
    this.#probing = false
    this.#failedAt = this.#clock.now()
    if (!failedBefore) this.#onStore(error ?? new Error('the store failed'))
  }
}

function isGrant(grant: unknown, count: number): grant is Grant {
  const { granted, wait } = Object(grant) as Partial<Record<keyof Grant, unknown>>
  return Number.isInteger(granted) && (granted as number) >= 0 && (granted as number) <= count && typeof wait === 'number' && wait >= 0
}
