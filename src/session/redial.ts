import { AsyncResource } from 'node:async_hooks'
import { requireOptions } from '../base/check-options.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { stallText, TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'

/** How a lost connection of a dialled session is made anew. Durations are milliseconds. */
export interface RedialOptions {
  /**
   * Attempts after one loss. One that gives a connection counts too, until it has held: it answered a call, or has lived for 5 s, or `maxDelay` if that is
   * more. Default: no limit.
   */
  times?: number | undefined
  /**
   * The first attempt comes after a random time up to this, or a fifth of it for each session of the process that waits for the same server, if that is
   * more: a herd must not come back at once. Default 100.
   */
  minDelay?: number | undefined
  /**
   * Doubling ends here: so long a time lies between attempts, and all sessions are back so soon after their server. It begins anew when a connection has held,
   * so that a server that takes connections and drops them is asked no more often than one that is gone. Default 1,950.
   */
  maxDelay?: number | undefined
  /** What calls and pushes do meanwhile: wait within their deadline (default), or fail with 102. */
  calls?: 'wait' | 'fail' | undefined
  /**
   * Go on with the same session where the peer is dmicro too and still knows it (docs/resume.md): idempotent calls run once, pushes are sent again
   * or their loss is told by the event `gap`. Default true.
   */
  resume?: boolean | undefined
}

export interface Redial {
  readonly times: number
  readonly minDelay: number
  readonly maxDelay: number
  readonly wait: boolean
  readonly resume: boolean
}

const known: ReadonlySet<string> = new Set(['times', 'minDelay', 'maxDelay', 'calls', 'resume'])

/** @throws RangeError or TypeError that names the option; undefined: no redial */
export function readRedial(option: boolean | RedialOptions | undefined): Redial | undefined {
  if (option === undefined || option === false) return undefined
  if (option !== true) requireOptions('option redial', option, known, 'redial.')
  const { times = Number.POSITIVE_INFINITY, minDelay = 100, maxDelay = 1950, calls = 'wait', resume = true } = option === true ? {} : option
  if (typeof times !== 'number' || !(times >= 1)) throw new RangeError(`option redial.times must be at least 1, got ${times}`)
  if (typeof minDelay !== 'number' || typeof maxDelay !== 'number' || !(minDelay >= 1 && minDelay <= maxDelay && maxDelay <= 2 ** 31 - 1))
    throw new RangeError(`options redial.minDelay and maxDelay must be 1 ms or more and in this order, got ${minDelay} and ${maxDelay}`)
  if (calls !== 'wait' && calls !== 'fail')
    throw new TypeError(`option redial.calls must be 'wait' or 'fail', got ${JSON.stringify(calls)}`)
  if (typeof resume !== 'boolean') throw new TypeError(`option redial.resume must be a boolean, got ${JSON.stringify(resume)}`)
  return { times, minDelay, maxDelay, wait: calls === 'wait', resume }
}

/** Its call has no key. */
const LAST = Number.POSITIVE_INFINITY

/** A call or push that waits for the connection. */
class Waiting extends TimerEntry {
  readonly key: number
  /** The how manyth it is that waits in its room. */
  readonly number: number
  readonly run: (waited: number) => void
  readonly fail: (error: StatusError) => void
  /** By the wheel's clock. */
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
    // In the caller's async context, not in that of what ended its waiting.
    this.run = AsyncResource.bind(run)
    this.fail = fail
    this.since = since
    this.#onExpire = onExpire
  }

  override expire(late: number): void {
    this.#onExpire(this, late)
  }
}

/** What waits while a session has no connection, in order. */
export class RequestQueue {
  readonly #wheel: TimerWheel
  readonly #max: number
  readonly #waiting = new Set<Waiting>()
  #added = 0

  /** @param max calls and pushes that may wait, 0 or more */
  constructor(wheel: TimerWheel, max: number) {
    this.#wheel = wheel
    this.#max = max
  }

  /**
   * @param timeout milliseconds, 0 for none
   * @param run gets the milliseconds it waited
   * @param key what has one goes before all that have none, the lowest first: it was sent before
   * @returns takes it out again
   * @throws StatusError 102 when too many wait already
   */
  add(timeout: number, run: (waited: number) => void, fail: (error: StatusError) => void, key = LAST): () => void {
    if (this.#waiting.size >= this.#max) throw new StatusError(Code.ConnectionClosed, undefined, 'too many calls wait for the connection')
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

  /** Calls and pushes that have waited here so far, or still do. */
  get added(): number {
    return this.#added
  }

  get size(): number {
    return this.#waiting.size
  }

  /** There is room for one more: the one that waits longest has it. */
  next(): void {
    const [first] = this.#waiting
    if (first === undefined) return
    this.#waiting.delete(first)
    this.#wheel.remove(first)
    first.run(this.#wheel.now() - first.since)
  }

  /** The connection is there. */
  run(): void {
    for (const waiting of this.#take()) waiting.run(this.#wheel.now() - waiting.since)
  }

  /** @param upTo only those that had waited when `added` was so many; default: all */
  fail(error: StatusError, upTo = Number.POSITIVE_INFINITY): void {
    for (const waiting of this.#take(upTo)) waiting.fail(error)
  }

  #take(upTo = Number.POSITIVE_INFINITY): Waiting[] {
    const all = [...this.#waiting].filter(({ number }) => number <= upTo)
    for (const waiting of all) {
      this.#waiting.delete(waiting)
      this.#wheel.remove(waiting)
    }
    // Infinity less Infinity is no number.
    return all.sort((a, b) => (a.key === b.key ? 0 : a.key - b.key))
  }
}
