import { setMaxListeners } from 'node:events'
import { runInRoot } from '../base/async/root-context.ts'
import { Queue } from '../base/collections/queue.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'

/** The abort signal of one request that a handler works on. */
export class Abort extends TimerEntry {
  readonly seq: number
  readonly controller = new AbortController()

  constructor(seq: number) {
    super()
    this.seq = seq
    setMaxListeners(0, this.controller.signal) // a handler may give it to as many as it likes
  }

  /** Fires with 408: the deadline of the request passed. */
  override expire(): void {
    this.cancel(Code.HandleTimeout)
  }

  /**
   * Fires the signal.
   *
   * @param code 408 or 499
   */
  cancel(code: number): void {
    const cause = code === Code.HandleTimeout ? 'the deadline of the call' : 'its caller'
    this.fire(new StatusError(code, statusText(code), cause, { stack: false }))
  }

  /**
   * Fires the signal outside of any `AsyncLocalStorage`, because listeners must not run in the store of what ends the
   * request.
   */
  fire(reason: StatusError): void {
    runInRoot(this.controller.abort, this.controller, reason)
  }
}

/**
 * The abort signals of a session's requests. It has only the signals that handlers have read, and the cancellations of
 * requests whose handlers may still read theirs.
 */
export class AbortRegistry {
  readonly #wheel: TimerWheel
  readonly #bySeq = new Map<number, Abort>()
  /** Signals of requests whose number another request has already: a cancellation cannot name them. */
  readonly #others = new Set<Abort>()
  /** Codes (408 or 499) by number of requests that were cancelled before their signal was read. */
  #canceled: Map<number, number> | undefined
  /** Numbers in `#canceled`, the oldest first. */
  #order = new Queue<number>()

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /**
   * Makes the signal of a request.
   *
   * @param left milliseconds until its deadline; 0 for none
   * @param over reason to fire at once; undefined for none
   */
  open(seq: number, left: number, over?: StatusError): Abort {
    const abort = new Abort(seq)
    if (this.#bySeq.has(seq)) this.#others.add(abort)
    else this.#bySeq.set(seq, abort)
    if (left > 0) this.#wheel.add(abort, left)
    if (over !== undefined) abort.fire(over)
    const code = this.#canceled?.get(seq)
    if (code !== undefined) abort.cancel(code)
    return abort
  }

  /** Forgets the signal: the request is finished. */
  release(abort: Abort): void {
    this.#wheel.remove(abort)
    if (this.#bySeq.get(abort.seq) === abort) this.#bySeq.delete(abort.seq)
    else this.#others.delete(abort)
  }

  /**
   * Cancels a request. No error object is made for an unknown number, because a peer may cancel often.
   *
   * @param code 408 or 499
   * @returns false when the signal of this request was never read
   */
  cancel(seq: number, code: number): boolean {
    const abort = this.#bySeq.get(seq)
    abort?.cancel(code)
    return abort !== undefined
  }

  /**
   * Stores a cancellation until the signal of the request is read.
   *
   * @param code 408 or 499
   * @param max cancellations to store. The oldest is dropped beyond it, because most of those cancelled late are
   *   answered already.
   */
  remember(seq: number, code: number, max: number): void {
    this.#canceled ??= new Map()
    if (!this.#canceled.has(seq)) this.#order.push(seq)
    this.#canceled.set(seq, code)
    if (this.#canceled.size > max) this.#canceled.delete(this.#order.shift() as number)
  }

  /** Whether request `seq` was cancelled before its signal was read. */
  wasCanceled(seq: number): boolean {
    return this.#canceled?.has(seq) === true
  }

  /** Forgets stored cancellations: no request runs, or the numbers belong to another connection now. */
  forget(): void {
    this.#canceled = undefined
    this.#order = new Queue()
  }

  /**
   * Fires all signals.
   *
   * @param spares whether a request goes on
   */
  cancelAll(reason: StatusError, spares: (seq: number) => boolean): void {
    for (const abort of [...this.#bySeq.values(), ...this.#others]) if (!spares(abort.seq)) abort.fire(reason)
  }
}
