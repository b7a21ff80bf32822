import { Code, StatusError, statusText } from './status.ts'
import { Timed, type TimerWheel } from './timer-wheel.ts'

/** How a lost connection of a dialled session is made anew. Durations are milliseconds. */
export interface RedialOptions {
  /** Attempts after one loss. Default: no limit. */
  times?: number
  /** The first attempt comes after a random time up to this. Default 100. */
  minDelay?: number
  /** Doubling ends here: so long a time at most lies between attempts. Default 2,000. */
  maxDelay?: number
  /** What calls and pushes do meanwhile: wait within their deadline (default), or fail with 102. */
  calls?: 'wait' | 'fail'
  /**
   * Go on with the same session where the peer is dmicro too and still knows it (design §6): idempotent calls run once, pushes are sent again
   * or their loss is told by the event `gap`. Default true.
   */
  resume?: boolean
}

export interface Redial {
  readonly times: number
  readonly minDelay: number
  readonly maxDelay: number
  readonly wait: boolean
  readonly resume: boolean
}

/** @throws RangeError or TypeError that names the option; undefined: no redial */
export function readRedial(option: boolean | RedialOptions | undefined): Redial | undefined {
  if (option === undefined || option === false) return undefined
  const { times = Number.POSITIVE_INFINITY, minDelay = 100, maxDelay = 2000, calls = 'wait', resume = true } = option === true ? {} : option
  if (!(times >= 1)) throw new RangeError(`option redial.times must be at least 1, got ${times}`)
  if (!(minDelay >= 1 && minDelay <= maxDelay && maxDelay <= 2 ** 31 - 1))
    throw new RangeError(`options redial.minDelay and maxDelay must be 1 ms or more and in this order, got ${minDelay} and ${maxDelay}`)
  if (calls !== 'wait' && calls !== 'fail')
    throw new TypeError(`option redial.calls must be 'wait' or 'fail', got ${JSON.stringify(calls)}`)
  if (typeof resume !== 'boolean') throw new TypeError(`option redial.resume must be a boolean, got ${JSON.stringify(resume)}`)
  return { times, minDelay, maxDelay, wait: calls === 'wait', resume }
}

/** Full jitter: whoever lost the same server comes back spread over time. @param attempt counts from 0 */
export function redialDelay({ minDelay, maxDelay }: Redial, attempt: number, random: () => number): number {
  return random() * Math.min(maxDelay, minDelay * 2 ** Math.min(attempt, 30))
}

/** A call or push that waits for the connection. */
class Waiting extends Timed {
  readonly run: (waited: number) => void
  readonly fail: (error: StatusError) => void
  /** By the wheel's clock. */
  readonly since: number
  readonly #onExpire: (waiting: Waiting) => void

  constructor(since: number, run: (waited: number) => void, fail: (error: StatusError) => void, onExpire: (waiting: Waiting) => void) {
    super()
    this.run = run
    this.fail = fail
    this.since = since
    this.#onExpire = onExpire
  }

  override expire(): void {
    this.#onExpire(this)
  }
}

/** What waits while a session has no connection, in order. */
export class WaitingRoom {
  readonly #wheel: TimerWheel
  readonly #max: number
  readonly #waiting = new Set<Waiting>()

  /** @param max calls and pushes that may wait */
  constructor(wheel: TimerWheel, max: number) {
    this.#wheel = wheel
    this.#max = max
  }

  /**
   * @param timeout milliseconds, 0 for none
   * @param run gets the milliseconds it waited
   * @returns takes it out again
   * @throws StatusError 102 when too many wait already
   */
  add(timeout: number, run: (waited: number) => void, fail: (error: StatusError) => void): () => void {
    if (this.#waiting.size >= this.#max) throw new StatusError(Code.ConnectionClosed, undefined, 'too many calls wait for the connection')
    const waiting = new Waiting(this.#wheel.now(), run, fail, (late) => {
      this.#waiting.delete(late)
      late.fail(new StatusError(Code.HandleTimeout, statusText(Code.HandleTimeout), 'no connection within the deadline'))
    })
    this.#waiting.add(waiting)
    if (timeout > 0) this.#wheel.add(waiting, timeout)
    return () => {
      this.#waiting.delete(waiting)
      this.#wheel.remove(waiting)
    }
  }

  /** The connection is there. */
  run(): void {
    for (const waiting of this.#take()) waiting.run(this.#wheel.now() - waiting.since)
  }

  fail(error: StatusError): void {
    for (const waiting of this.#take()) waiting.fail(error)
  }

  #take(): Waiting[] {
    const all = [...this.#waiting]
    this.#waiting.clear()
    for (const waiting of all) this.#wheel.remove(waiting)
    return all
  }
}
