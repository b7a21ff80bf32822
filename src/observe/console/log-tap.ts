import { consoleLogger, type LogFields, type Logger, type LogLevel, silentLogger } from '../../base/log.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { type PlainValue, plainFields } from '../logs/fields.ts'

/** A line of a log, as it is kept for the page. */
export interface LogLine {
  readonly at: number
  readonly level: LogLevel
  readonly text: string
  readonly fields: Readonly<Record<string, PlainValue>>
}

const MAX_LINES = 200

/** Keeps the last lines of endpoints' logs: warnings and errors always, others while a page is open. */
export class LogTap {
  readonly #lines: LogLine[] = []
  #next = 0
  readonly #tapped = new WeakSet<Logger>()
  /** Whether a page is open. */
  isOpen = false

  /** Returns a logger that writes to `log` and keeps the lines here. */
  tap(log: Logger | false | undefined): Logger {
    const target = log === false ? silentLogger : (log ?? consoleLogger())
    if (this.#tapped.has(target)) return target
    const at =
      (level: LogLevel) =>
      (text: string, fields?: LogFields): void => {
        target[level](text, fields)
        if (this.isOpen || level === 'warn' || level === 'error') this.#keep(level, text, fields)
      }
    const tapped: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
    this.#tapped.add(tapped)
    return tapped
  }

  #keep(level: LogLevel, text: string, fields: LogFields | undefined): void {
    this.#lines[this.#next] = { at: wallTime(realClock), level, text: text.slice(0, 1024), fields: plainFields(fields) }
    this.#next = (this.#next + 1) % MAX_LINES
  }

  /** The lines kept, the newest first. */
  lines(): LogLine[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)].reverse()
  }
}
