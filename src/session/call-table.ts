import type { StatusError } from '../base/errors/status.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import { type TurnDeadlines, turnDeadlinesOf } from '../base/time/turn-deadlines.ts'
import type { PendingCall } from './pending-call.ts'
import { PendingTable } from './pending-table.ts'

/** Sequence numbers of what one session sends, and its calls without a reply yet, with their deadlines. */
export class CallTable extends PendingTable<PendingCall> {
  readonly #wheel: TimerWheel
  readonly #deadlines: TurnDeadlines
  #seq = 0

  constructor(wheel: TimerWheel) {
    super()
    this.#wheel = wheel
    this.#deadlines = turnDeadlinesOf(wheel)
  }

  /**
   * Sets the deadline of a call.
   *
   * @param timeout milliseconds from now; 0 for none
   */
  limit(call: PendingCall, timeout: number): void {
    if (timeout > 0) this.#deadlines.add(call, timeout)
  }

  /**
   * Next sequence number. Counts up from 1 and wraps (docs/spec/wire.md#sequence-numbers). After a wrap, numbers of
   * open calls are skipped.
   */
  nextSeq(): number {
    do {
      this.#seq = (this.#seq + 1) | 0
    } while (this.has(this.#seq))
    return this.#seq
  }

  /** Sequence number of the CALL or PUSH sent last. */
  get lastSeq(): number {
    return this.#seq
  }

  /** Sets the number after which to count. For tests of the wrap. */
  countFrom(seq: number): void {
    this.#seq = seq
  }

  /** Skips all numbers up to `seq`. */
  skipTo(seq: number): void {
    if (((seq - this.#seq) | 0) > 0) this.#seq = seq
  }

  /** Removes a call, and its deadline. */
  remove(call: PendingCall): void {
    this.take(call.seq)
    this.#wheel.remove(call)
  }

  /**
   * Fails all open calls.
   *
   * @param spares whether idempotent calls stay, to be retried
   */
  failAll(error: StatusError, spares = false): void {
    for (const call of this.takeAll()) {
      if (spares && call.key > 0) {
        this.set(call)
        continue
      }
      this.#wheel.remove(call)
      call.fail(error)
    }
  }
}
