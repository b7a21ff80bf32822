import type { Clock } from '../../base/time/clock.ts'
import { type LogEntry, type LogFilter, matches } from './log-entry.ts'

/** Lines that are kept for readers who come later. */
export const MAX_KEPT = 500
/** Lines that are kept of one second, so that a storm does not drive out all else, and costs little. */
const MAX_KEPT_PER_SECOND = 50

/** The last lines of one source. */
export class KeptLines {
  readonly #clock: Clock
  #entries: LogEntry[] = []
  #second = 0
  #inSecond = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether one more line of this second would be kept. */
  get hasRoom(): boolean {
    const second = Math.floor(this.#clock.now() / 1000)
    if (second !== this.#second) this.#inSecond = 0
    this.#second = second
    return this.#inSecond < MAX_KEPT_PER_SECOND
  }

  /** Takes the room of one line, if there is any. */
  takeRoom(): boolean {
    return this.hasRoom && ++this.#inSecond > 0
  }

  /** Keeps a line for which room was taken. */
  add(entry: LogEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length >= 2 * MAX_KEPT) this.#entries = this.all()
  }

  /** The oldest first. */
  all(): LogEntry[] {
    return this.#entries.slice(-MAX_KEPT)
  }

  /** All that match, which are more than `MAX_KEPT` at times. */
  matching(filter: LogFilter): LogEntry[] {
    return this.#entries.filter((entry) => matches(filter, entry))
  }
}
