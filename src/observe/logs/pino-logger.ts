import type { LogFields, Logger, LogLevel } from '../../base/log.ts'
import { plainFields } from './fields.ts'

type Write = (fields: object, text: string) => void

/** A logger of pino, or one whose methods take the fields first. */
export interface PinoLike {
  /** Writes a line of level `debug`: gets its fields, then its text. */
  debug: Write
  /** Writes a line of level `info`: gets its fields, then its text. */
  info: Write
  /** Writes a line of level `warn`: gets its fields, then its text. */
  warn: Write
  /** Writes a line of level `error`: gets its fields, then its text. */
  error: Write
  /** Whether a level is written. */
  isLevelEnabled?(level: string): boolean
}

/**
 * A logger that writes with pino. Fields whose key looks like a secret are shown as `***`.
 *
 * @throws TypeError for what is no logger
 * @example
 * new Endpoint({ log: pinoLogger(pino()) })
 */
export function pinoLogger(pino: PinoLike): Logger {
  const at = (level: LogLevel) => {
    if (typeof pino?.[level] !== 'function') throw new TypeError(`a logger of pino must have the method ${level}`)
    return (text: string, fields?: LogFields): void => {
      if (pino.isLevelEnabled?.(level) === false) return
      pino[level](plainFields(fields), text)
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
