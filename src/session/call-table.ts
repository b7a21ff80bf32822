import type { StatusError } from '../base/errors/status.ts'
import type { TimerWheel } from '../base/time/timer-wheel.ts'
import type { PendingCall } from './pending-call.ts'
import { PendingTable } from './pending-table.ts'

/** The numbers of what one session sends, and its calls without a reply yet, with their deadlines. */
export class CallTable {
  readonly #wheel: TimerWheel
  readonly #pending = new PendingTable<PendingCall>()
  #seq = 0

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /** Counts up from 1 and wraps (docs/spec/wire.md#sequence-numbers), passing over calls that are still open after a wrap. */
  nextSeq(): number {
    do {
      this.#seq = (this.#seq + 1) | 0
    } while (this.#pending.has(this.#seq))
    return this.#seq
  }

  /** The number of the CALL or PUSH sent last. */
  get lastSeq(): number {
    return this.#seq
  }

  /** The next number is that behind `seq`. */
  countFrom(seq: number): void {
    this.#seq = seq
  }

  /** No number up to `seq` is used again. */
  skipTo(seq: number): void {
    if (((seq - this.#seq) | 0) > 0) this.#seq = seq
  }

  get size(): number {
    return this.#pending.size
  }

  add(call: PendingCall): void {
    this.#pending.set(call)
  }

  /** The open call with number `seq`. */
  peek(seq: number): PendingCall | undefined {
    return this.#pending.peek(seq)
  }

  remove(call: PendingCall): void {
    this.#pending.take(call.seq)
    this.#wheel.remove(call)
  }

  /** @param spares idempotent calls, which stay: they are made again */
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

  /** All that are open, which leave the table. */
  takeAll(): PendingCall[] {
    return this.#pending.takeAll()
  }
}
