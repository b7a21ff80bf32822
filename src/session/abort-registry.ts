import { setMaxListeners } from 'node:events'
import { runInRoot } from '../base/async/root-context.ts'
import { Queue } from '../base/collections/queue.ts'
import { Code, StatusError, statusText } from '../base/errors/status.ts'
import { TimerEntry, type TimerWheel } from '../base/time/timer-wheel.ts'

/** The signal of one request that is worked on. */
export class Abort extends TimerEntry {
  readonly seq: number
  readonly controller = new AbortController()

  constructor(seq: number) {
    super()
    this.seq = seq
    setMaxListeners(0, this.controller.signal) // a handler may give it to as many as it likes
  }

  /** Its caller does not wait any more. */
  override expire(): void {
    this.cancel(Code.HandleTimeout)
  }

  /** @param code 408 or 499 */
  cancel(code: number): void {
    const cause = code === Code.HandleTimeout ? 'the deadline of the call' : 'its caller'
    this.fire(new StatusError(code, statusText(code), cause, { stack: false }))
  }

  /** Whoever listens does so outside of any `AsyncLocalStorage`, and not in a store of who ends the request. */
  fire(reason: StatusError): void {
    runInRoot(this.controller.abort, this.controller, reason)
  }
}

/** The signals of a session's requests: only handlers that look at theirs are here, and cancellations of those that may yet do so. */
export class AbortRegistry {
  readonly #wheel: TimerWheel
  readonly #bySeq = new Map<number, Abort>()
  /** Of requests with a number that another one has: nobody can cancel them. */
  readonly #others = new Set<Abort>()
  /** Requests cancelled before anybody looked at their signals, and why: 408 or 499. */
  #canceled: Map<number, number> | undefined
  /** Their numbers, the oldest first. */
  #order = new Queue<number>()

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /** @param left milliseconds until it fires by itself; 0: never @param over why it has to fire at once */
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

  /** The request is done. */
  release(abort: Abort): void {
    this.#wheel.remove(abort)
    if (this.#bySeq.get(abort.seq) === abort) this.#bySeq.delete(abort.seq)
    else this.#others.delete(abort)
  }

  /** False when nobody looked at the signal of this request. A peer may cancel often what is not here: only what is gets an error. @param code 408 or 499 */
  cancel(seq: number, code: number): boolean {
    const abort = this.#bySeq.get(seq)
    abort?.cancel(code)
    return abort !== undefined
  }

  /** For whom looks later. @param max that are remembered: most of those cancelled late are answered already, so the oldest goes */
  remember(seq: number, code: number, max: number): void {
    this.#canceled ??= new Map()
    if (!this.#canceled.has(seq)) this.#order.push(seq)
    this.#canceled.set(seq, code)
    if (this.#canceled.size > max) this.#canceled.delete(this.#order.shift() as number)
  }

  /** Request `seq` was cancelled before anybody looked. */
  wasCanceled(seq: number): boolean {
    return this.#canceled?.has(seq) === true
  }

  /** No request runs, or numbers are of another connection. */
  forget(): void {
    this.#canceled = undefined
    this.#order = new Queue()
  }

  /** @param spares requests that go on */
  cancelAll(reason: StatusError, spares: (seq: number) => boolean): void {
    for (const abort of [...this.#bySeq.values(), ...this.#others]) if (!spares(abort.seq)) abort.fire(reason)
  }
}
