import type { StatusError } from '../base/errors/status.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import type { PendingCall } from './pending-call.ts'
import { PendingTable } from './pending-table.ts'

/** Sequence numbers of what one session sends, and its calls without a reply yet, with their deadlines. */
export class CallTable {
  readonly #wheel: TimerWheel
  readonly #pending = new PendingTable<PendingCall>()
  #seq = 0

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /**
   * Next sequence number. Counts up from 1 and wraps (docs/spec/wire.md#sequence-numbers). After a wrap, numbers of
   * open calls are skipped.
   */
  nextSeq(): number {
    do {
      this.#seq = (this.#seq + 1) | 0
    } while (this.#pending.has(this.#seq))
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

  /** Number of open calls. */
  get size(): number {
    return this.#pending.size
  }

  add(call: PendingCall): void {
    this.#pending.set(call)
  }

  /** The open call with number `seq`; undefined when there is none. */
  peek(seq: number): PendingCall | undefined {
    return this.#pending.peek(seq)
  }

  remove(call: PendingCall): void {
    this.#pending.take(call.seq)
    this.#wheel.remove(call)
  }

  /**
   * Fails all open calls.
   *
   * @param spares whether idempotent calls stay, to be retried
   */
  failAll(error: StatusError, spares = false): void {
    for (const call of this.#pending.takeAll()) {
      if (spares && call.key > 0) {
        this.#pending.set(call)
        continue
      }
      this.#wheel.remove(call)
      call.fail(error)
    }
  }

  /** Removes all open calls from the table and returns them. */
  takeAll(): PendingCall[] {
    return this.#pending.takeAll()
  }
}
