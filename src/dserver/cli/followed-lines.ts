import { realClock, wallTime } from '../../base/time/clock.ts'
import type { LogEntry, LogFilter, LogGap } from '../ctl/log-entry.ts'
import type { LogBatch } from '../ctl/log-stream.ts'

/**
 * Keeps what a follower has seen of a log. After the server has changed it gets each line once, also those that were
 * written meanwhile, and learns how many are missing.
 */
export class FollowedLines {
  /** Whether missing lines can be told: numbers know the level of a line, and not whom it is about. */
  readonly #counts: boolean
  readonly #since = wallTime(realClock)
  /** Number of the last line, by process and level. */
  readonly #last = new Map<string, number>()
  /** The keys of these whose next line is the first since the server has changed. */
  readonly #unsure = new Set<string>()
  /** Process of the server; 0 where it is not known. */
  #server = 0
  /** Whether all processes have begun since the follower has. */
  #isNew = false

  constructor({ names }: LogFilter) {
    this.#counts = names.length === 0
  }

  /** Handles that a server is followed now. */
  connected(server: number): void {
    this.#isNew = this.#server !== 0 && this.#server !== server
    this.#server = server
    for (const key of this.#last.keys()) this.#unsure.add(key)
  }

  /** Takes the lines that a server has kept. Returns those that were not seen, and what is missing between. */
  missed(kept: readonly LogEntry[]): LogBatch {
    const lines = kept.filter((entry) => {
      const last = this.#last.get(keyOf(entry))
      return last === undefined ? this.#isNew || entry.time >= this.#since : numberOf(entry) > last
    })
    const batch = lines.flatMap((entry) => this.#take(entry, true))
    for (const entry of lines) this.#unsure.add(keyOf(entry))
    return batch
  }

  /** Takes lines as they come. Returns them, and what is missing before. */
  take(batch: LogBatch): LogBatch {
    return batch.flatMap((item) => ('lost' in item ? [item] : this.#take(item, false)))
  }

  /** @param isKept whether lines before it may be missing that were not kept */
  #take(entry: LogEntry, isKept: boolean): (LogEntry | LogGap)[] {
    const key = keyOf(entry)
    const number = numberOf(entry)
    const last = this.#last.get(key)
    // The first lines of a service's process come as it has printed them, without numbers.
    const isFirst = last === undefined && this.#isNew && (isKept || entry.pid === this.#server)
    const isChecked = this.#counts && entry.nth !== undefined && (isFirst || (last !== undefined && (isKept || this.#unsure.has(key))))
    this.#last.set(key, number)
    this.#unsure.delete(key)
    const lost = isChecked ? number - (last ?? 0) - 1 : 0
    return lost > 0 ? [{ lost, during: 'restart' }, entry] : [entry]
  }
}

function keyOf({ pid, level, nth }: LogEntry): string {
  return nth === undefined ? `${pid} printed` : `${pid} ${level}`
}

function numberOf({ nth, seq }: LogEntry): number {
  return nth ?? Math.abs(seq)
}
