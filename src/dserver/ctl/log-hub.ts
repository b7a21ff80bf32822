import { type LogFields, type Logger, type LogLevel, logText } from '../../base/log.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { isAtLeast, LevelBit, type LogEntry, type LogFilter, matches } from './log-entry.ts'

/** Lines that are kept for readers who come later. */
export const MAX_KEPT = 500
/** Lines that are kept of one second, so that a storm does not drive out all else, and costs little. */
const MAX_KEPT_PER_SECOND = 50

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
  #kept: LogEntry[] = []
  #seq = 0
  #printed = 0
  #second = 0
  #keptInSecond = 0
  /** Called when another set of levels is wanted by followers. */
  onMask: (mask: number) => void = () => {}

  /**
   * @param target receives lines from `level` on; must not throw
   * @param level the usual one, without debugging
   */
  constructor(name: string, target: Logger, level: LogLevel) {
    this.name = name
    this.#target = target
    this.#usualLevel = level
    this.#level = level
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
    return lines <= 0 ? [] : this.#kept.filter((entry) => matches(filter, entry)).slice(-lines)
  }

  /** Passes on a line that another process has written; that one keeps it. */
  forward(entry: LogEntry): void {
    for (const { filter, onEntry } of this.#followers) if (matches(filter, entry)) onEntry(entry)
  }

  /** Whether a line of this level, which another process has printed, would be kept or passed on. */
  wantsPrinted(level: LogLevel): boolean {
    return (this.mask & LevelBit[level]) !== 0 || this.#roomLeft()
  }

  /** Adds a line that another process has printed. It is not written again. */
  printed(process: string, pid: number, level: LogLevel, text: string): void {
    // Below 0, because the other process numbers its own lines.
    const entry = { time: wallTime(realClock), level, process, pid, seq: -++this.#printed, text }
    if (this.#hasRoom()) this.#keep(entry)
    this.forward(entry)
  }

  #keep(entry: LogEntry): void {
    this.#kept.push(entry)
    if (this.#kept.length >= 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT)
  }

  #log(level: LogLevel, text: string, fields: LogFields | undefined): void {
    const isWritten = isAtLeast(level, this.#level)
    if (isWritten) this.#target[level](text, fields)
    const isKept = isWritten && level !== 'debug' && this.#hasRoom()
    if (!isKept && this.#followers.size === 0) return
    const entry = this.#entry(level, text, fields)
    if (entry === undefined) return
    if (isKept) this.#keep(entry)
    this.forward(entry)
  }

  /** Undefined for fields that cannot be read. */
  #entry(level: LogLevel, text: string, fields: LogFields | undefined): LogEntry | undefined {
    const { name: process, pid } = this
    try {
      const sandbox = typeof fields?.sandbox === 'string' ? fields.sandbox.slice(0, 64) : undefined
      return { time: wallTime(realClock), level, process, pid, seq: ++this.#seq, sandbox, text: logText(text, fields) }
    } catch {
      return undefined
    }
  }

  #hasRoom(): boolean {
    return this.#roomLeft() && ++this.#keptInSecond <= MAX_KEPT_PER_SECOND
  }

  #roomLeft(): boolean {
    const second = Math.floor(realClock.now() / 1000)
    if (second !== this.#second) this.#keptInSecond = 0
    this.#second = second
    return this.#keptInSecond < MAX_KEPT_PER_SECOND
  }
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
