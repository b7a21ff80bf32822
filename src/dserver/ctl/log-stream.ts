import { immediate } from '../../base/time/clock.ts'
import { entrySize, entryText, type LogEntry, type LogGap } from './log-entry.ts'

/** Most lines, and bytes about, that wait for a reader. */
const MAX_LINES = 2000
const MAX_BYTES = 1024 * 1024
/** Most lines, and bytes about, that are sent at once. */
const BATCH_LINES = 200
const BATCH_BYTES = 64 * 1024

export type LogBatch = readonly (LogEntry | LogGap)[]

/**
 * Lines on their way to one reader. One batch is sent at a time, so that what a slow reader does not take waits here.
 * Beyond a bound lines are lost; the reader finds their number in their place.
 */
export class LogStream {
  readonly #send: (batch: LogBatch) => Promise<void>
  readonly #onEnd: () => void
  #queue: (LogEntry | { lost: number })[] = []
  #bytes = 0
  #sending = true // until the start
  #ended = false
  #onTaken = (): void => {}

  /**
   * @param send resolves when the reader has taken the batch; when it rejects the stream ends
   * @param onEnd called once
   */
  constructor(send: (batch: LogBatch) => Promise<void>, onEnd: () => void) {
    this.#send = send
    this.#onEnd = onEnd
  }

  add(entry: LogEntry): void {
    if (this.#ended) return
    if (this.#queue.length >= MAX_LINES || this.#bytes >= MAX_BYTES) this.lose(1)
    else {
      this.#queue.push(entry)
      this.#bytes += entrySize(entry)
    }
    this.#start()
  }

  /** Starts to send, without lines that the reader has already. */
  start(known: readonly LogEntry[] = []): void {
    const keys = new Set(known.map(keyOf))
    this.#queue = this.#queue.filter((item) => 'lost' in item || !keys.has(keyOf(item)))
    this.#bytes = this.#queue.reduce((sum, item) => sum + ('lost' in item ? 0 : entrySize(item)), 0)
    this.#sending = false
    this.#start()
  }

  /** Notes that lines are missing here. */
  lose(lines: number): void {
    const last = this.#queue.at(-1)
    if (last !== undefined && 'lost' in last) last.lost += lines
    else this.#queue.push({ lost: lines })
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#queue = []
    this.#onTaken()
    this.#onEnd()
  }

  /** Resolves when the reader has taken all lines, or has gone. */
  taken(): Promise<void> {
    if (this.#ended || (!this.#sending && this.#queue.length === 0)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onTaken = resolve
    })
  }

  #start(): void {
    if (this.#sending || this.#queue.length === 0) return
    this.#sending = true
    // Lines of one turn leave together. Not in the async context of whoever logs.
    immediate(() => void this.#run())
  }

  async #run(): Promise<void> {
    try {
      while (!this.#ended && this.#queue.length > 0) await this.#send(this.#take())
    } catch {
      this.end()
    } finally {
      this.#sending = false
      this.#onTaken()
    }
  }

  #take(): LogBatch {
    let bytes = 0
    let lines = 0
    while (lines < this.#queue.length && lines < BATCH_LINES && bytes < BATCH_BYTES) {
      const next = this.#queue[lines++]
      if (!('lost' in next)) bytes += entrySize(next)
    }
    this.#bytes = Math.max(this.#bytes - bytes, 0)
    return this.#queue.splice(0, lines)
  }
}

function keyOf({ pid, seq }: LogEntry): string {
  return `${pid}/${seq}`
}

/** A line of the log, or where lines are missing, for people. */
export function lineText(item: LogBatch[number]): string {
  if (!('lost' in item)) return entryText(item)
  return `... ${item.lost} lines were lost here, ${item.during === 'restart' ? 'while the server changed' : 'because this reader was too slow'}`
}
