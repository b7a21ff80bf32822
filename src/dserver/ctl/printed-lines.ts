import type { LogLevel } from '../../base/log.ts'
import { printable } from '../../base/text/printable.ts'

/** Longest line that is kept whole, in bytes. What is behind it begins a line of its own. */
const MAX_LINE = 4096
/** Lines of the default logger, which come to the log by a way of their own. */
const OF_LOGGER = /^dmicro (debug|info|warn|error): /

/** A line of the default logger. */
export interface LoggerLine {
  readonly level: LogLevel
  readonly text: string
  /** Whether this is the whole text, and not only the beginning of a long one. */
  readonly isWhole: boolean
}

/** Cuts what a process prints into lines for the log. While nobody wants them, output costs next to nothing. */
export class PrintedLines {
  readonly #isWanted: () => boolean
  readonly #onLine: (text: string) => void
  readonly #onLogger: (line: LoggerLine) => void
  #rest = Buffer.alloc(0)
  /** Whether the present line is left out from here on. */
  #isCut = false

  /** @param onLogger receives lines of the default logger */
  constructor(isWanted: () => boolean, onLine: (text: string) => void, onLogger: (line: LoggerLine) => void = () => {}) {
    this.#isWanted = isWanted
    this.#onLine = onLine
    this.#onLogger = onLogger
  }

  write(chunk: Buffer): void {
    if (!this.#isWanted()) {
      this.#rest = Buffer.alloc(0)
      this.#isCut = chunk.at(-1) !== 0x0a
      return
    }
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let start = 0
    for (;;) {
      const end = data.indexOf(0x0a, start)
      if (end < 0 && data.length - start <= MAX_LINE) break
      const isWhole = end >= 0 && end - start <= MAX_LINE
      const stop = isWhole ? end : lastWhole(data, start + MAX_LINE)
      this.#take(data.toString('utf8', start, stop), isWhole)
      start = isWhole ? end + 1 : stop
      // The others of this chunk are not wanted any more.
      if (!this.#isWanted()) {
        this.write(data.subarray(data.length - 1))
        return
      }
    }
    this.#rest = Buffer.from(data.subarray(start))
  }

  /** The process has ended: its last line may lack an end. */
  end(): void {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    this.#take(rest.toString('utf8'), true)
  }

  #take(line: string, isWhole: boolean): void {
    const isCut = this.#isCut
    this.#isCut = isCut && !isWhole
    if (isCut || line.trim() === '') return
    const level = OF_LOGGER.exec(line)?.[1] as LogLevel | undefined
    if (level === undefined) this.#onLine(printable(line.trimEnd()))
    else {
      this.#isCut = !isWhole
      this.#onLogger({ level, text: printable(line.slice(line.indexOf(': ') + 2)), isWhole })
    }
  }
}

/** The beginning of the character at `stop`; text that is no UTF-8 is cut anywhere. */
function lastWhole(data: Buffer, stop: number): number {
  for (let at = stop; at > stop - 4; at--) if ((data[at] & 0xc0) !== 0x80) return at
  return stop
}

/** The level of what is printed: errors that end a process stand on stderr. */
export const printedLevel: Readonly<Record<'stdout' | 'stderr', LogLevel>> = { stdout: 'info', stderr: 'warn' }
