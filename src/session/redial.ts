import { AsyncResource } from 'node:async_hooks'
import { flag, optionNames, requireOptions } from '../base/check-options.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { stallText, TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'

/** How a dialled session redials (reconnects) when it lost its connection. Durations are milliseconds. */
export interface RedialOptions {
  /**
   * Maximum number of attempts after one loss, at least 1. An attempt that made a connection counts too until the
   * connection has held: it answered a call, or lived for 5 s, or for `maxDelay` if that is more. Default: unlimited.
   */
  times?: number | undefined
  /**
   * Upper bound of the random delay before the first attempt, in milliseconds. When more than five sessions of the
   * process wait for the same server, it is a fifth of this for each of them, because otherwise all would reconnect at
   * once. Default: 100; 1,000 over WebSocket, because a proxy that reloads ends the connections of all processes at
   * the same moment.
   */
  minDelay?: number | undefined
  /**
   * Upper bound of the delay between two attempts, in milliseconds, where doubling ends. All sessions have reconnected
   * this long after their server is up again. The delay starts small again only after a connection has held, so a
   * server that accepts connections and drops them gets no more attempts than one that is down. Default: 1,950.
   */
  maxDelay?: number | undefined
  /**
   * Whether calls and pushes 'wait' within their deadline while the session reconnects, or 'fail' with 102. Default:
   * 'wait'.
   */
  calls?: 'wait' | 'fail' | undefined
  /**
   * Whether a reconnect resumes the same session where the peer is dmicro too and still has it (docs/resume.md):
   * idempotent calls run once, and pushes are sent again or the event `gap` reports their loss. Default: true.
   */
  resume?: boolean | undefined
}

/** `RedialOptions`, complete and checked. */
export interface Redial {
  readonly times: number
  /** Undefined for the default, which depends on the address. */
  readonly minDelay: number | undefined
  readonly maxDelay: number
  readonly wait: boolean
  readonly resume: boolean
}

const known = optionNames<RedialOptions>({ times: true, minDelay: true, maxDelay: true, calls: true, resume: true })

/**
 * Checks the option `redial` and adds the defaults.
 *
 * @returns undefined for no redial
 * @throws RangeError or TypeError that names the option
 */
export function readRedial(option: boolean | RedialOptions | undefined): Redial | undefined {
  if (option === undefined || option === false) return undefined
  if (option !== true) requireOptions('option redial', option, known, 'redial.')
  const { times = Number.POSITIVE_INFINITY, minDelay, maxDelay = 1950, calls = 'wait', resume } = option === true ? {} : option
  const least = minDelay === undefined ? 100 : minDelay
  if (typeof times !== 'number' || !(times >= 1)) throw new RangeError(`option redial.times must be at least 1, got ${times}`)
  if (typeof least !== 'number' || typeof maxDelay !== 'number' || !(least >= 1 && least <= maxDelay && maxDelay <= 2 ** 31 - 1))
    throw new RangeError(`options redial.minDelay and maxDelay must be 1 ms or more and in this order, got ${least} and ${maxDelay}`)
  if (calls !== 'wait' && calls !== 'fail')
    throw new TypeError(`option redial.calls must be 'wait' or 'fail', got ${JSON.stringify(calls)}`)
  return { times, minDelay, maxDelay, wait: calls === 'wait', resume: flag('redial.resume', resume, true) }
}

/** Key of a call or push that was not sent before. */
const LAST = Number.POSITIVE_INFINITY

/** A call or push that waits for the connection. */
class Waiting extends TimerEntry {
  readonly key: number
  /** Position in the order of all that ever waited in the queue, from 1. */
  readonly number: number
  readonly run: (waited: number) => void
  readonly fail: (error: StatusError) => void
  /** Time when it was queued, by the wheel's clock. */
  readonly since: number
  readonly #onExpire: (waiting: Waiting, late: number) => void

  constructor(
    since: number,
    run: (waited: number) => void,
    fail: (error: StatusError) => void,
    key: number,
    number: number,
    onExpire: (waiting: Waiting, late: number) => void,
  ) {
    super()
    this.key = key
    this.number = number
    // Run in the caller's async context, not in that of what ended the wait.
    this.run = AsyncResource.bind(run)
    this.fail = fail
    this.since = since
    this.#onExpire = onExpire
  }

  override expire(late: number): void {
    this.#onExpire(this, late)
  }
}

/** Queue of calls and pushes that wait for a connection or for capacity, in order. */
export class RequestQueue {
  readonly #wheel: TimerWheel
  readonly #max: number
  readonly #waiting = new Set<Waiting>()
  #added = 0

  /**
   * @param wheel times the deadlines
   * @param max calls and pushes that may wait, 0 or more
   */
  constructor(wheel: TimerWheel, max: number) {
    this.#wheel = wheel
    this.#max = max
  }

  /**
   * Adds a call or push.
   *
   * @param timeout milliseconds until its deadline, 0 for none
   * @param run called with the milliseconds that it waited
   * @param fail called with 408 at the deadline, or with the error of `fail`
   * @param key sequence number of a call that was sent before: such calls go first, the lowest first
   * @returns a function that removes it from the queue
   * @throws StatusError 102 when `max` wait already
   */
  add(timeout: number, run: (waited: number) => void, fail: (error: StatusError) => void, key = LAST): () => void {
    if (this.#waiting.size >= this.#max) {
      const cause = 'too many calls wait for the connection'
      throw new StatusError(Code.ConnectionClosed, undefined, cause, { unsent: true })
    }
    const waiting = new Waiting(this.#wheel.now(), run, fail, key, ++this.#added, (expired, late) => {
      this.#waiting.delete(expired)
      const cause = `no connection within the deadline${stallText(late)}`
      expired.fail(new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), cause))
    })
    this.#waiting.add(waiting)
    if (timeout > 0) this.#wheel.add(waiting, timeout)
    return () => {
      this.#waiting.delete(waiting)
      this.#wheel.remove(waiting)
    }
  }

  /** Number of calls and pushes that were ever queued. */
  get added(): number {
    return this.#added
  }

  /** Number of calls and pushes that wait now. */
  get size(): number {
    return this.#waiting.size
  }

  /** Runs the one that waits longest: there is capacity for one more. */
  next(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    this.#waiting.delete(first)
    this.#wheel.remove(first)
    first.run(this.#wheel.now() - first.since)
  }

  /** Runs all that wait: there is a connection. */
  run(): void {
    for (const waiting of this.#take()) waiting.run(this.#wheel.now() - waiting.since)
  }

  /**
   * Fails those that wait.
   *
   * @param upTo fails only those queued while `added` was at most this; default: all
   */
  fail(error: StatusError, upTo = Number.POSITIVE_INFINITY): void {
    for (const waiting of this.#take(upTo)) waiting.fail(error)
  }

  #take(upTo = Number.POSITIVE_INFINITY): Waiting[] {
    const all = [...this.#waiting].filter(({ number }) => number <= upTo)
    for (const waiting of all) {
      this.#waiting.delete(waiting)
      this.#wheel.remove(waiting)
    }
    // Equal keys first: Infinity minus Infinity is NaN.
    return all.sort((a, b) => (a.key === b.key ? 0 : a.key - b.key))
  }
}
