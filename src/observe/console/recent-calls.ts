import { realClock, wallTime } from '../../base/time/clock.ts'
import type { MeteredSession } from '../../overload/meter.ts'
import type { CallCounts, CallObserver } from '../metrics/call-counts.ts'

/** A call that failed or was slow. */
export interface RecentCall {
  readonly at: number
  readonly counts: CallCounts
  readonly code: number
  readonly ms: number
  /** Id of its trace; undefined for none. */
  readonly trace: string | undefined
  readonly remote: string | undefined
}

/** Calls of each kind that are kept. */
const MAX_CALLS = 100
const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** Keeps the last calls that failed, and the last slow ones. */
export class RecentCalls implements CallObserver {
  readonly slow: number
  readonly #failed = new Ring()
  readonly #slow = new Ring()

  constructor(slow: number) {
    this.slow = slow
  }

  observed(counts: CallCounts, code: number, ms: number, trace: string | undefined, session: MeteredSession | undefined): void {
    const ring = code === 0 ? this.#slow : this.#failed
    const id = trace === undefined ? undefined : traceparent.exec(trace)?.[1]
    ring.add({ at: wallTime(realClock), counts, code, ms, trace: id, remote: session?.remoteAddress })
  }

  /** The newest first. */
  failed(): RecentCall[] {
    return this.#failed.all()
  }

  /** The newest first. */
  slowest(): RecentCall[] {
    return this.#slow.all()
  }
}

class Ring {
  readonly #calls: RecentCall[] = []
  #next = 0

  add(call: RecentCall): void {
    this.#calls[this.#next] = call
    this.#next = (this.#next + 1) % MAX_CALLS
  }

  all(): RecentCall[] {
    return [...this.#calls.slice(this.#next), ...this.#calls.slice(0, this.#next)].reverse()
  }
}
