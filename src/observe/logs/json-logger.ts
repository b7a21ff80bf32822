import { optionNames, requireFunction, requireOptions } from '../../base/check-options.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import type { LogFields, Logger, LogLevel } from '../../base/log.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { cut, plainFields } from './fields.ts'

/** Options of `jsonLogger`. */
export interface JsonLoggerOptions {
  /** The least severe level written. Default: 'info'. */
  level?: LogLevel | undefined
  /** Receives one line without its line end. Default: writes it to stderr. */
  write?: ((line: string) => void) | undefined
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
const known = optionNames<JsonLoggerOptions>({ level: true, write: true })
const MAX_TEXT = 1024

/**
 * A logger that writes one JSON object a line: `time`, `level`, `msg`, then the fields. Fields whose key looks like a
 * secret are shown as `***`. Its methods never throw.
 *
 * @throws TypeError for bad options
 */
export function jsonLogger(options: JsonLoggerOptions = {}): Logger {
  requireOptions('options', options, known)
  const { level = 'info', write = (line: string) => console.error(line) } = options
  requireFunction('write', write)
  const from = levels.indexOf(level)
  if (from < 0) throw new TypeError(`option level must be one of ${levels.join(', ')}, got ${reasonOf(level)}`)
  const at = (name: LogLevel) => (text: string, fields?: LogFields) => {
    if (levels.indexOf(name) < from) return
    try {
      const time = new Date(wallTime(realClock)).toISOString()
      write(JSON.stringify(plainFields(fields, { time, level: name, msg: cut(String(text), MAX_TEXT) })))
    } catch {
      // `write` itself failed, so there is nowhere to report this.
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
