import { type Abortable, forgetAbort, whenAborted } from '../base/async/when-aborted.ts'
import type { Clock, ClockTimer } from '../base/time/clock.ts'
import type { Hedge } from './broker/hedge.ts'
import type { RpcCall } from './rpc-call.ts'
import type { Candidate } from './selector/strategy.ts'

type Settle = (value: unknown) => void

/**
 * Makes one of the calls, which `start` begins.
 *
 * @param elapsed milliseconds since the caller began to wait
 */
export type MakeCall = (elapsed: number, signal: AbortSignal, resolve: Settle, reject: Settle, isHedge: boolean) => RpcCall

/** One of the calls that are made for one caller. */
interface Racer {
  readonly call: RpcCall
  readonly abort: AbortController
  readonly startedAt: number
}

/**
 * An idempotent call that is made once more, on another node, when it takes longer than usual. The first reply counts,
 * and the others are canceled. It fails when all have failed, with what the first attempt failed with.
 */
export class HedgedCall implements Abortable {
  readonly #hedge: Hedge
  readonly #clock: Clock
  readonly #path: string
  readonly #signal: AbortSignal | undefined
  readonly #make: MakeCall
  /** Whether there is a node besides these. */
  readonly #hasNode: (exclude: readonly Candidate[]) => boolean
  readonly #resolve: Settle
  readonly #reject: Settle
  readonly #racers: Racer[] = []
  #running = 0
  #failure: unknown
  #timer: ClockTimer | undefined
  #isOver = false

  constructor(
    hedge: Hedge,
    clock: Clock,
    path: string,
    signal: AbortSignal | undefined,
    make: MakeCall,
    hasNode: (exclude: readonly Candidate[]) => boolean,
    resolve: Settle,
    reject: Settle,
  ) {
    this.#hedge = hedge
    this.#clock = clock
    this.#path = path
    this.#signal = signal
    this.#make = make
    this.#hasNode = hasNode
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const signal = this.#signal
    this.#add()
    if (this.#isOver || signal === undefined) return
    if (signal.aborted) this.onAbort(signal)
    else whenAborted(signal, this)
  }

  onAbort(signal: AbortSignal): void {
    for (const { abort } of this.#racers) abort.abort(signal.reason)
  }

  #add(): void {
    const number = this.#racers.length + 1
    const abort = new AbortController()
    const startedAt = this.#clock.now()
    const call = this.#make(
      number === 1 ? 0 : startedAt - this.#racers[0].startedAt,
      abort.signal,
      (value) => this.#onReply(value, number),
      (error) => this.#onFailure(error, number),
      number > 1,
    )
    if (number > 1) call.exclude = this.#nodes()
    this.#racers.push({ call, abort, startedAt })
    this.#running++
    this.#arm()
    call.start()
  }

  #arm(): void {
    const attempts = this.#racers.length
    const delay = this.#hedge.delay(this.#path, attempts)
    if (delay < 0) return
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#isOver || !this.#hasNode(this.#nodes())) return
      if (this.#hedge.tryHedge(this.#path, attempts + 1)) this.#add()
    }, delay)
  }

  /** Nodes that the calls wait for. */
  #nodes(): Candidate[] {
    return this.#racers.map(({ call }) => call.candidate).filter((candidate) => candidate !== undefined)
  }

  #onReply(value: unknown, number: number): void {
    if (this.#isOver) return
    this.#hedge.onReply(this.#path, this.#clock.now() - this.#racers[number - 1].startedAt, number)
    this.#end()
    this.#resolve(value)
    for (const { abort } of this.#racers) abort.abort(new Error('another attempt was answered first'))
  }

  #onFailure(error: unknown, number: number): void {
    if (this.#isOver) return
    if (number === 1) this.#failure = error
    if (--this.#running > 0) return
    this.#end()
    this.#reject(this.#failure)
  }

  #end(): void {
    this.#isOver = true
    this.#clock.clearTimeout(this.#timer)
    if (this.#signal !== undefined) forgetAbort(this.#signal, this)
  }
}
