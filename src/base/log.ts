import { textOf } from './errors/error-text.ts'
import { printable } from './text/printable.ts'
import { type Clock, type ClockTimer, realClock } from './time/clock.ts'

/**
 * Receives warnings and errors that no caller gets as a rejection. Fields hold peer-supplied text, so a logger must
 * escape it.
 */
export interface Logger {
  /** Details that a plugin was asked to log, such as the messages that `runLog` lists. */
  debug(text: string, fields?: LogFields): void
  /** Ordinary events; not used by this package itself. */
  info(text: string, fields?: LogFields): void
  /** A peer broke the protocol or a limit, or a fallback is in use. */
  warn(text: string, fields?: LogFields): void
  /** A handler, plugin or listener threw, or a reply could not be sent. */
  error(text: string, fields?: LogFields): void
}

/** Structured values of a log line by name. */
export type LogFields = Readonly<Record<string, unknown>>
/** Severities, the least severe first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** All severities, the least severe first. */
export const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
const MAX_LINES = 10
const WINDOW = 1000
/** Longest text of one field in UTF-16 units, then of the message. */
const MAX_VALUE = 256
const MAX_TEXT = 1024
/** Longest text of the field `error` in UTF-16 units, which may have causes and stack frames. */
const MAX_ERROR = 4096

const nothing = (): void => {}

/** A logger that writes nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/**
 * `log` itself, checked.
 * @throws TypeError that names the option
 */
export function checkLogger(name: string, log: Logger): Logger {
  if (levels.some((level) => typeof (Object(log) as Partial<Logger>)[level] !== 'function'))
    throw new TypeError(`option ${name} must have the methods ${levels.join(', ')}`)
  return log
}

/** `log` without its exceptions: a logger that throws must not close a session. */
export function guarded(log: Logger): Logger {
  const guard =
    (level: LogLevel) =>
    (text: string, fields?: LogFields): void => {
      try {
        log[level](text, fields)
      } catch {
        // The logger itself failed, so there is nowhere to report this.
      }
    }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}

/**
 * A logger that writes one line each to stderr, `dmicro warn: text key="value"`: at most 10 lines a second, then one
 * line with the number of lines left out. Control characters of a peer's text are escaped. Its methods never throw.
 * @param level the least severe level written; default 'warn'
 * @param write receives one line without its line end; default: stderr
 * @param now monotonic milliseconds; default: the system's clock
 * @param timers timers for the line with the number of lines left out; default: the system's
 * @throws TypeError when `level` is none
 */
export function consoleLogger(
  level: LogLevel = 'warn',
  write: (line: string) => void = toStderr,
  now: () => number = realClock.now,
  timers: Pick<Clock, 'setTimeout' | 'clearTimeout'> = realClock,
): Logger {
  const limited = limit(write, now, timers)
  const from = levels.indexOf(level)
  if (from < 0) throw new TypeError(`log level must be one of ${levels.join(', ')}, got ${textOf(level)}`)
  const at = (name: LogLevel) =>
    levels.indexOf(name) < from ? nothing : (text: string, fields?: LogFields) => limited(() => line(name, text, fields))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

// console.error rather than process.stderr: it survives a closed pipe.
function toStderr(line: string): void {
  console.error(line)
}

/** Lets ten lines pass in each second that begins with a line. Further lines are not even formatted. */
function limit(
  write: (line: string) => void,
  now: () => number,
  timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
): (make: () => string) => void {
  let windowEnd = -Infinity
  let written = 0
  let suppressed = 0
  let timer: ClockTimer | undefined
  const put = (line: string): void => {
    try {
      write(line)
    } catch {
      // `write` itself failed, so there is nowhere to report this.
    }
  }
  const endWindow = (): void => {
    timers.clearTimeout(timer)
    timer = undefined
    written = 0
    windowEnd = -Infinity
    if (suppressed > 0) put(`dmicro warn: ${suppressed} log ${suppressed === 1 ? 'line' : 'lines'} suppressed`)
    suppressed = 0
  }
  return (make) => {
    const time = now()
    if (time >= windowEnd) {
      endWindow()
      windowEnd = time + WINDOW
    }
    if (written < MAX_LINES) {
      written++
      put(make())
      return
    }
    suppressed++
    // The count must appear even when nothing more is logged.
    if (timer !== undefined) return
    timer = timers.setTimeout(endWindow, windowEnd - time)
    timer.unref()
  }
}

function line(level: LogLevel, text: string, fields: LogFields | undefined): string {
  return `dmicro ${level}: ${logText(text, fields)}`
}

/** One line `text key="value"` without control characters, with long values cut. */
export function logText(text: string, fields: LogFields | undefined): string {
  let result = printable(cut(`${text}`, MAX_TEXT))
  if (fields === undefined) return result
  for (const key of Object.keys(fields)) result += ` ${printable(cut(key, MAX_VALUE))}=${fieldText(fields, key)}`
  return result
}

function fieldText(fields: LogFields, key: string): string {
  try {
    const value = fields[key]
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `${value}`
    return printable(JSON.stringify(cut(textOf(value), key === 'error' ? MAX_ERROR : MAX_VALUE)))
  } catch {
    return '?'
  }
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text
}
