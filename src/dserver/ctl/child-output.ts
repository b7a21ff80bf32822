import { realClock } from '../../base/time/clock.ts'
import { KeptLines, MAX_KEPT } from './kept-lines.ts'
import type { LogEntry } from './log-entry.ts'
import type { LogHub } from './log-hub.ts'
import { type LoggerLine, PrintedLines, printedLevel } from './printed-lines.ts'

/** A line of the logger that followers have not got from the child, or its beginning. */
interface Unsent {
  readonly entry: LogEntry
  readonly isWhole: boolean
}

/**
 * Output of one child on its way to the log. Lines of the logger are in the child's own log as well, which is read
 * instead while that is possible. But it ends with the child, so they are held until then.
 */
export class ChildOutput {
  readonly #hub: LogHub
  readonly #process: string
  readonly #pid: number
  readonly #lines: Readonly<Record<'stdout' | 'stderr', PrintedLines>>
  /** Lines of the logger; undefined when the child's own log is not read any more. */
  #held: KeptLines | undefined = new KeptLines(realClock)
  /** Lines of the logger that followers wait for, in the order in which the child sends them. */
  #unsent: Unsent[] = []
  /** Lines that the child has sent before they were read here as printed. */
  #early: LogEntry[] = []

  /** @param process name in entries */
  constructor(hub: LogHub, process: string, pid: number) {
    this.#hub = hub
    this.#process = process
    this.#pid = pid
    const linesOf = (stream: 'stdout' | 'stderr'): PrintedLines => {
      const level = printedLevel[stream]
      return new PrintedLines(
        () => hub.wantsPrinted(process, level),
        (text) => hub.printed(process, pid, level, text),
        (line) => this.#onLogger(line),
      )
    }
    this.#lines = { stdout: linesOf('stdout'), stderr: linesOf('stderr') }
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#lines[stream].write(chunk)
  }

  /** The child sends its lines to followers from now on, but not those that it has logged before. */
  ready(): void {
    this.#unsent = []
  }

  /** The child has sent this line for followers. */
  sent(entry: LogEntry): void {
    const at = this.#unsent.findIndex((each) => isSame(each, entry))
    // Lines are sent in order, so those before will not come.
    if (at >= 0) this.#unsent.splice(0, at + 1)
    else if (this.#held !== undefined) this.#early = [...this.#early.slice(-MAX_EARLY), entry]
  }

  /** The child's own log is not read any more, because the child has ended, or another has taken its place. */
  release(): void {
    for (const entry of this.#held?.all() ?? []) this.#hub.keepPrinted(entry)
    this.#held = undefined
    for (const { entry } of this.#unsent) this.#hub.forward(entry)
    this.#unsent = []
    this.#early = []
  }

  /** The child has ended, and all of its output was read. */
  end(): void {
    this.#lines.stdout.end()
    this.#lines.stderr.end()
    this.release()
  }

  #onLogger({ level, text, isWhole }: LoggerLine): void {
    if (this.#held === undefined) {
      this.#hub.printed(this.#process, this.#pid, level, text)
      return
    }
    const entry = this.#hub.printedEntry(this.#process, this.#pid, level, text)
    // Debugging lines are not kept, as in the child's own log.
    if (level !== 'debug' && this.#held.takeRoom()) this.#held.add(entry)
    const early = this.#early.findIndex((each) => isSame({ entry, isWhole }, each))
    if (early >= 0) this.#early.splice(0, early + 1)
    else if (this.#hub.isFollowed(level)) {
      this.#unsent.push({ entry, isWhole })
      if (this.#unsent.length > MAX_KEPT) this.#unsent.shift()
    }
  }
}

/** Most lines that have come before they were printed: the pipe is read next. */
const MAX_EARLY = 200

/** Whether the child has sent this line, which it has also printed. */
function isSame({ entry: { level, text }, isWhole }: Unsent, sent: LogEntry): boolean {
  return level === sent.level && (isWhole ? text === sent.text : sent.text.startsWith(text))
}
