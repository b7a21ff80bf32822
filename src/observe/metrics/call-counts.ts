import type { Clock } from '../../base/time/clock.ts'
import type { MeteredSession, ServedCounts } from '../../overload/meter.ts'
import { Durations } from './durations.ts'
import { Labels } from './labels.ts'
import type { Turn, TurnMember } from './turn.ts'

/** Most status codes of one route that are counted apart, because peers and handlers may send any. */
const MAX_CODES = 64
/** Length of a W3C `traceparent`. */
const TRACE_LENGTH = 55

/** The parts that all counts of one meter share. */
export interface CountsOwner {
  readonly service: string
  readonly turn: Turn
  /** Bounds of the buckets in milliseconds. */
  readonly bounds: Float64Array
  readonly clock: Clock
  /** Sees the calls that fail or are slow; null for nobody. */
  observer: CallObserver | null
}

/** Sees calls that fail or are slow, as the console does. May not throw. */
export interface CallObserver {
  /** Milliseconds from which a call is slow. */
  readonly slow: number
  /**
   * @param trace `traceparent` of the call, of the right length but not checked; undefined for none
   * @param session that of a request; undefined for a call, and for a slow request that was answered at once
   */
  observed(counts: CallCounts, code: number, ms: number, trace: string | undefined, session: MeteredSession | undefined): void
}

/** The calls of one service method, on one side. */
export class CallCounts implements ServedCounts, TurnMember {
  readonly isCall = true
  readonly labels: Labels
  readonly durations: Durations
  /** Number of calls that have not ended, or have in the open turn. */
  inFlight = 0
  /** Number of calls that ended with status OK, before the open turn. */
  ok = 0
  /** Number of calls that ended with other codes. */
  codes: Map<number, number> | undefined
  /** Number of calls that ended with codes beyond `MAX_CODES`. */
  otherCodes = 0
  /** Bytes of bodies. */
  received = 0
  sent = 0
  readonly #owner: CountsOwner
  readonly #turn: Turn
  /** Numbers of calls that ended in the open turn, in which they had arrived: with status OK, and with others. */
  #ended = 0
  #failed = 0
  /** `traceparent` of one of them. */
  #trace: string | undefined

  constructor(owner: CountsOwner, path: string) {
    this.#owner = owner
    this.#turn = owner.turn
    this.labels = new Labels({ name: owner.service, path })
    this.durations = new Durations(owner.bounds)
  }

  arrive(bytes: number): void {
    this.inFlight++
    this.received += bytes
  }

  /** Counts a call that was sent. */
  leave(bytes: number): void {
    this.inFlight++
    this.sent += bytes
  }

  ended(begun: number, code: number, bytes: number, trace: string | undefined, session?: MeteredSession): void {
    this.sent += bytes
    const turn = this.#turn
    // How nearly all end. The rest is a function of its own, because V8 inlines short ones into their callers.
    if (code === 0 && trace === undefined && turn.isOpen && begun === turn.ticks) {
      if (this.#ended++ === 0) turn.add(this)
    } else this.#count(begun, code, trace, session)
  }

  #count(begun: number, code: number, trace: string | undefined, session: MeteredSession | undefined): void {
    // A peer may send a text of any length, which would be kept.
    const explained = trace !== undefined && trace.length === TRACE_LENGTH
    const turn = this.#turn
    if (code !== 0) {
      this.#countCode(code)
      this.#owner.observer?.observed(this, code, turn.since(begun), explained ? trace : undefined, session)
    }
    if (turn.isOpen && begun === turn.ticks) {
      if ((code === 0 ? this.#ended++ : this.#failed++) === 0) turn.add(this)
      if (explained) this.#trace = trace
      return
    }
    this.inFlight--
    if (code === 0) this.ok++
    const ms = turn.since(begun)
    this.durations.add(ms, 1)
    if (explained) this.durations.explain(ms, trace, this.#owner.clock)
    if (code === 0) this.#observeSlow(ms, explained ? trace : undefined, session)
  }

  #observeSlow(ms: number, trace: string | undefined, session: MeteredSession | undefined): void {
    const { observer } = this.#owner
    if (observer !== null && ms >= observer.slow) observer.observed(this, 0, ms, trace, session)
  }

  turnEnded(ms: number): void {
    const ended = this.#ended
    const all = ended + this.#failed
    if (all === 0) return // both numbers brought it here
    this.ok += ended
    this.inFlight -= all
    this.durations.add(ms, all)
    if (ended > 0) this.#observeSlow(ms, this.#trace, undefined)
    if (this.#trace !== undefined) this.durations.explain(ms, this.#trace, this.#owner.clock)
    this.#ended = 0
    this.#failed = 0
    this.#trace = undefined
  }

  /** Counts a call that failed before it was sent. */
  fail(code: number, ms: number): void {
    this.#countCode(code)
    this.durations.add(ms, 1)
    this.#owner.observer?.observed(this, code, ms, undefined, undefined)
  }

  sized(bytes: number): void {
    this.sent += bytes
  }

  replied(bytes: number): void {
    this.received += bytes
  }

  retried(): void {
    this.inFlight--
  }

  #countCode(code: number): void {
    this.codes ??= new Map()
    const before = this.codes.get(code)
    if (before === undefined && this.codes.size >= MAX_CODES) this.otherCodes++
    else this.codes.set(code, (before ?? 0) + 1)
  }
}

/** The pushes of one service method, in one direction. */
export class PushCounts implements ServedCounts {
  readonly isCall = false
  readonly labels: Labels
  total = 0
  /** Number of pushes that were dropped or whose handlers failed, or that could not be sent. */
  failed = 0
  /** Bytes of bodies. */
  bytes = 0

  constructor(owner: CountsOwner, path: string) {
    this.labels = new Labels({ name: owner.service, path })
  }

  arrive(bytes: number): void {
    this.total++
    this.bytes += bytes
  }

  ended(_begun: number, code: number): void {
    if (code !== 0) this.failed++
  }

  sized(): void {}

  replied(): void {}

  retried(): void {}
}
