import { type LogFields, type Logger, type LogLevel, logText } from '../../base/log.ts'
import { type Clock, realClock, wallTime } from '../../base/time/clock.ts'
import { KeptLines } from './kept-lines.ts'
import { isAtLeast, LevelBit, type LogEntry, type LogFilter, matches } from './log-entry.ts'

/** A reader of the log. */
interface Follower {
  readonly filter: LogFilter
  readonly onEntry: (entry: LogEntry) => void
}

/** The logger of a server: writes to another one, keeps the last lines, and passes them on to those who follow. */
export class LogHub implements Logger {
  /** Name of this process in entries. */
  readonly name: string
  readonly pid = process.pid
  readonly #target: Logger
  readonly #usualLevel: LogLevel
  #level: LogLevel
  readonly #followers = new Set<Follower>()
  readonly #clock: Clock
  readonly #kept: KeptLines
  /** Lines that other processes have printed, by process and level, so that none of these drives out another. */
  readonly #printed = new Map<string, KeptLines>()
  #seq = 0
  /** Lines of each level so far. */
  readonly #counts: Record<LogLevel, number> = { debug: 0, info: 0, warn: 0, error: 0 }
  #printedSeq = 0
  /** Called when another set of levels is wanted by followers. */
  onMask: (mask: number) => void = () => {}

  /**
   * @param target receives lines from `level` on; must not throw
   * @param level the usual one, without debugging
   */
  constructor(name: string, target: Logger, level: LogLevel, clock: Clock = realClock) {
    this.name = name
    this.#target = target
    this.#usualLevel = level
    this.#level = level
    this.#clock = clock
    this.#kept = new KeptLines(clock)
  }

  debug(text: string, fields?: LogFields): void {
    this.#log('debug', text, fields)
  }

  info(text: string, fields?: LogFields): void {
    this.#log('info', text, fields)
  }

  warn(text: string, fields?: LogFields): void {
    this.#log('warn', text, fields)
  }

  error(text: string, fields?: LogFields): void {
    this.#log('error', text, fields)
  }

  /** Whether lines of level `debug` are written although the usual level is another one. */
  setDebug(on: boolean): void {
    this.#level = on ? 'debug' : this.#usualLevel
  }

  get isDebugging(): boolean {
    return this.#level !== this.#usualLevel
  }

  /** Bits of all levels that followers want; 0 when there are none. */
  get mask(): number {
    let mask = 0
    for (const { filter } of this.#followers) mask |= filter.mask
    return mask
  }

  /**
   * Calls `onEntry` with each line that matches; the function returned ends that.
   * @param onEntry must not throw, nor log
   */
  follow(filter: LogFilter, onEntry: (entry: LogEntry) => void): () => void {
    const follower = { filter, onEntry }
    this.#change(() => this.#followers.add(follower))
    return () => this.#change(() => this.#followers.delete(follower))
  }

  #change(change: () => void): void {
    const before = this.mask
    change()
    if (this.mask !== before) this.onMask(this.mask)
  }

  /** The last lines that match, at most this many, the oldest first. */
  recent(filter: LogFilter, lines: number): LogEntry[] {
    if (lines <= 0) return []
    const sources = [this.#kept, ...this.#printed.values()]
    const all = sources.flatMap((source) => source.matching(filter))
    return all.sort(inOrder).slice(-lines)
  }

  /** Passes on a line that another process has written; that one keeps it. */
  forward(entry: LogEntry): void {
    for (const { filter, onEntry } of this.#followers) if (matches(filter, entry)) onEntry(entry)
  }

  /** Whether a line of this level, which another process has printed, would be kept or passed on. */
  wantsPrinted(process: string, level: LogLevel): boolean {
    return this.isFollowed(level) || this.#printedBy(process, level).hasRoom
  }

  /** Whether a follower wants lines of this level, of some process. */
  isFollowed(level: LogLevel): boolean {
    return (this.mask & LevelBit[level]) !== 0
  }

  /** Adds a line that another process has printed. It is not written again. */
  printed(process: string, pid: number, level: LogLevel, text: string): void {
    const entry = this.printedEntry(process, pid, level, text)
    if (this.#printedBy(process, level).takeRoom()) this.keepPrinted(entry)
    this.forward(entry)
  }

  /** An entry for a line that another process has printed. */
  printedEntry(process: string, pid: number, level: LogLevel, text: string): LogEntry {
    // Below 0, because the other process numbers its own lines.
    return { time: wallTime(this.#clock), level, process, pid, seq: -++this.#printedSeq, text }
  }

  /** Keeps a line that another process has printed some time ago, whatever was printed in this second. */
  keepPrinted(entry: LogEntry): void {
    this.#printedBy(entry.process, entry.level).add(entry)
  }

  #printedBy(process: string, level: LogLevel): KeptLines {
    const key = `${level} ${process}`
    let kept = this.#printed.get(key)
    if (kept === undefined) this.#printed.set(key, (kept = new KeptLines(this.#clock)))
    return kept
  }

  #log(level: LogLevel, text: string, fields: LogFields | undefined): void {
    const nth = ++this.#counts[level]
    const isWritten = isAtLeast(level, this.#level)
    if (isWritten) this.#target[level](text, fields)
    const isKept = isWritten && level !== 'debug' && this.#kept.takeRoom()
    if (!isKept && this.#followers.size === 0) return
    const entry = this.#entry(level, nth, text, fields)
    if (entry === undefined) return
    if (isKept) this.#kept.add(entry)
    this.forward(entry)
  }

  /** Undefined for fields that cannot be read. */
  #entry(level: LogLevel, nth: number, text: string, fields: LogFields | undefined): LogEntry | undefined {
    const { name: process, pid } = this
    try {
      const sandbox = typeof fields?.sandbox === 'string' ? fields.sandbox.slice(0, 64) : undefined
      return { time: wallTime(this.#clock), level, process, pid, seq: ++this.#seq, nth, sandbox, text: logText(text, fields) }
    } catch {
      return undefined
    }
  }
}

/** By time; within a millisecond lines of the log itself first, then the printed ones as they were printed. */
function inOrder(a: LogEntry, b: LogEntry): number {
  return a.time - b.time || Number(a.seq < 0) - Number(b.seq < 0) || Math.abs(a.seq) - Math.abs(b.seq)
}

/** A logger that adds the name of a sandbox to its lines, by which they can be filtered. */
export function sandboxLogger(log: Logger, sandbox: string): Logger {
  const at = (level: LogLevel) => (text: string, fields?: LogFields) => log[level](text, named(sandbox, fields))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function named(sandbox: string, fields: LogFields | undefined): LogFields | undefined {
  try {
    return { sandbox, ...fields }
  } catch {
    return fields // a getter of the application's own has thrown
  }
}
