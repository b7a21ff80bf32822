import type { LogLevel } from '../../base/log.ts'
import { logText } from '../../base/log.ts'

/** Longest line that is kept whole, in bytes. What is behind it begins a line of its own. */
const MAX_LINE = 4096
/** Lines of the default logger, which come to the log by a way of their own. */
const OF_LOGGER = /^dmicro (?:debug|info|warn|error): /

/** Cuts what a process prints into lines for the log. While nobody wants them, output costs next to nothing. */
export class PrintedLines {
  readonly #isWanted: () => boolean
  readonly #onLine: (text: string) => void
  #rest = Buffer.alloc(0)
  /** Whether the beginning of the present line was left out. */
  #isCut = false

  constructor(isWanted: () => boolean, onLine: (text: string) => void) {
    this.#isWanted = isWanted
    this.#onLine = onLine
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
      const stop = isWhole ? end : start + MAX_LINE
      this.#take(data.toString('utf8', start, stop))
      start = isWhole ? end + 1 : stop
      // The others of this chunk are not wanted any more.
      if (!this.#isWanted()) {
        this.write(data.subarray(data.length - 1))
        return
      }
    }
    this.#rest = Buffer.from(data.subarray(start))
  }

  #take(line: string): void {
    const isCut = this.#isCut
    this.#isCut = false
    if (isCut || line.trim() === '' || OF_LOGGER.test(line)) return
    this.#onLine(logText(line.trimEnd(), undefined))
  }
}

/** The level of what is printed: errors that end a process stand on stderr. */
export const printedLevel: Readonly<Record<'stdout' | 'stderr', LogLevel>> = { stdout: 'info', stderr: 'warn' }
