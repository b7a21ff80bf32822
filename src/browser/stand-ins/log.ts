// Stands in for `base/log.ts`: the console of a page shows fields as they are.
import type { Logger, LogLevel } from '../endpoint-types.ts'

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

function logger(write: (level: LogLevel) => Logger[LogLevel]): Logger {
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const nothing = (): void => {}

export const silentLogger: Logger = logger(() => nothing)

export function consoleLogger(from: LogLevel = 'warn'): Logger {
  return logger((level) =>
    levels.indexOf(level) < levels.indexOf(from) ? nothing : (text, fields) => console[level](`dmicro: ${text}`, fields ?? ''),
  )
}

export function checkLogger(name: string, log: Logger): Logger {
  if (levels.some((level) => typeof log?.[level] !== 'function'))
    throw new TypeError(`option ${name} must have the methods ${levels.join(', ')}`)
  return log
}

/** `log` without its exceptions. */
export function guarded(log: Logger): Logger {
  return logger((level) => (text, fields) => {
    try {
      log[level](text, fields)
    } catch {
      // nowhere to report this
    }
  })
}
