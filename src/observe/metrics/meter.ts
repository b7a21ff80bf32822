import { MAX_METHOD_BYTES } from '../../base/limits.ts'
import { type Clock, realClock } from '../../base/time/clock.ts'
import { closeReasonText } from '../../message/close-reason.ts'
import { findNameText } from '../../message/names.ts'
import type { Meter, MeteredCall, MeteredRoute, ServedCounts, WaitingCall } from '../../overload/meter.ts'
import { CallCounts, type CallObserver, type CountsOwner, PushCounts } from './call-counts.ts'
import { Observers } from './observers.ts'
import { Turn } from './turn.ts'

/** Path of names that no route has, which peers choose, and of names beyond `MAX_CALLED`. */
export const OTHER = '_OTHER'
/** Most service methods called, and pushed to, that are measured apart: programs may make them of data. */
const MAX_CALLED = 1000

/** Measures the endpoints that one plugin was given to. */
export class EndpointMeter implements Meter, CountsOwner {
  readonly service: string
  readonly bounds: Float64Array
  readonly turn = new Turn(realClock.now)
  clock: Clock = realClock
  observer: CallObserver | null = null
  /** The calls that were served, by route. */
  readonly served = new Map<string, CallCounts>()
  readonly called = new Map<string, CallCounts>()
  readonly pushesIn = new Map<string, PushCounts>()
  readonly pushesOut = new Map<string, PushCounts>()
  /** Number of sessions that were closed, by reason. */
  readonly closed: number[] = closeReasonText.map(() => 0)
  redials = 0
  failedRedials = 0

  /** @param bounds of the buckets, in milliseconds */
  constructor(service: string, bounds: Float64Array) {
    this.service = service
    this.bounds = bounds
  }

  /** Measures time by `clock`. Requires that nothing was measured yet. */
  useClock(clock: Clock): void {
    this.clock = clock
    this.turn.now = clock.now
  }

  /** Lets one more see the calls that fail or are slow. */
  observe(observer: CallObserver): void {
    const all = this.observer instanceof Observers ? this.observer.all : this.observer === null ? [] : [this.observer]
    if (!all.includes(observer)) this.observer = all.length === 0 ? observer : new Observers([...all, observer])
  }

  arrived(): number {
    return this.turn.begin()
  }

  since(begun: number): number {
    return this.turn.since(begun)
  }

  countsOf(route: MeteredRoute | undefined, isCall: boolean): ServedCounts {
    return isCall ? this.#servedBy(route) : this.#pushedTo(route)
  }

  #servedBy(route: MeteredRoute | undefined): CallCounts {
    const path = route === undefined ? OTHER : route.name
    const counts = this.served.get(path) ?? new CallCounts(this, path)
    this.served.set(path, counts)
    if (route !== undefined) route.counts = counts
    return counts
  }

  #pushedTo(route: MeteredRoute | undefined): PushCounts {
    const path = route === undefined ? OTHER : route.name
    const counts = this.pushesIn.get(path) ?? new PushCounts(this, path)
    this.pushesIn.set(path, counts)
    // A route of calls may also take pushes, which are rarer there.
    if (route !== undefined && route.counts === null) route.counts = counts
    return counts
  }

  calling(call: MeteredCall, bytes: number, begun: number | undefined, forwarded: boolean): void {
    const counts = this.#calledAs(call.method, forwarded)
    counts.leave(bytes)
    call.counts = counts
    call.begun = begun === undefined ? this.turn.nowTicks() : begun
  }

  waiting(call: WaitingCall, forwarded = false): void {
    const counts = this.#calledAs(call.method, forwarded)
    counts.leave(0)
    call.counts = counts
    call.begun ??= this.turn.nowTicks()
  }

  notCalled(method: string, code: number, ms: number, forwarded = false): void {
    this.#calledAs(method, forwarded).fail(code, ms)
  }

  #calledAs(method: string, forwarded: boolean): CallCounts {
    const counts = this.called.get(method)
    if (counts !== undefined) return counts
    const path = pathOf(method, this.called.size, forwarded)
    const made = this.called.get(path) ?? new CallCounts(this, path)
    this.called.set(path, made)
    return made
  }

  pushed(method: string, bytes: number, forwarded: boolean): void {
    this.#pushedAs(method, forwarded).arrive(bytes)
  }

  notPushed(method: string, forwarded = false): void {
    this.#pushedAs(method, forwarded).failed++
  }

  #pushedAs(method: string, forwarded: boolean): PushCounts {
    const counts = this.pushesOut.get(method)
    if (counts !== undefined) return counts
    const path = pathOf(method, this.pushesOut.size, forwarded)
    const made = this.pushesOut.get(path) ?? new PushCounts(this, path)
    this.pushesOut.set(path, made)
    return made
  }

  redialled(success: boolean): void {
    if (success) this.redials++
    else this.failedRedials++
  }

  sessionClosed(reason: number): void {
    this.closed[reason]++
  }
}

/**
 * Path of the calls of a method. A name that cannot be sent has none of its own, because two such names may look the
 * same on a page, and may have any length; nor has one that a peer chose and this process does not use itself.
 */
function pathOf(method: string, known: number, forwarded: boolean): string {
  if (forwarded && findNameText(method) < 0) return OTHER
  return known < MAX_CALLED && method.length <= MAX_METHOD_BYTES && method.isWellFormed() ? method : OTHER
}
