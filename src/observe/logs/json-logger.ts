import { optionNames, requireFunction, requireOptions } from '../../base/check-options.ts'
import { reasonOf } from '../../base/errors/error-text.ts'
import type { LogFields, Logger, LogLevel } from '../../base/log.ts'
import { realClock, wallTime } from '../../base/time/clock.ts'
import { cut, jsonFields, jsonText } from './fields.ts'

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
  const at = (name: LogLevel) => {
    if (levels.indexOf(name) < from) return () => {}
    const head = `","level":"${name}","msg":`
    return (text: string, fields?: LogFields) => {
      try {
        // Not as an object, which would be made and read again for each line.
        write(`{"time":"${isoTime(wallTime(realClock))}${head}${jsonText(cut(String(text), MAX_TEXT))}${jsonFields(fields)}}`)
      } catch {
        // `write` itself failed, so there is nowhere to report this.
      }
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

let second = Number.NaN
let secondText = ''

/** `toISOString`, of which all but the last digits is the same for many lines. */
function isoTime(ms: number): string {
  const since = Math.floor(ms) - second
  if (since >= 0 && since < 1000) return `${secondText}${String(since + 1000).slice(1)}Z`
  const text = new Date(ms).toISOString()
  second = Math.floor(ms / 1000) * 1000
  secondText = text.slice(0, -'000Z'.length)
  return text
}
