import { duration, optionNames, requireOptions, whole } from '../../base/check-options.ts'
import { checkLogger, type LogFields, type Logger, type LogLevel } from '../../base/log.ts'
import { realClock } from '../../base/time/clock.ts'

/** Options of `sampledLogger`. */
export interface SampleOptions {
  /** Number of lines of one level and text that are written in each interval. Default: 10. */
  first?: number | undefined
  /** Then one line of this many is written; 0 for none. Default: 100. */
  every?: number | undefined
  /** Milliseconds of an interval. Default: 1000. */
  interval?: number | undefined
}

/** Lines of one level and text in the interval. */
interface Repeats {
  ends: number
  count: number
  /** Number of lines left out since the last one written. */
  left: number
}

const known = optionNames<SampleOptions>({ first: true, every: true, interval: true })
/** Texts that are counted apart. Programs may make texts of data, so there must be an end to them. */
const MAX_TEXTS = 256

/**
 * `log` without most of what repeats: of lines with the same level and text the first ones of an interval are written,
 * then one of so many, with the number left out since the last one in the field `suppressed`.
 *
 * @throws TypeError or RangeError for bad options
 */
export function sampledLogger(log: Logger, options: SampleOptions = {}, now: () => number = realClock.now): Logger {
  checkLogger('log', log)
  requireOptions('options', options, known)
  const first = whole('first', options.first ?? 10, 0, 1_000_000)
  const every = whole('every', options.every ?? 100, 0, 1_000_000)
  const interval = duration('interval', options.interval, 1000, 1)
  const texts = new Map<string, Repeats>()
  const at = (level: LogLevel) => (text: string, fields?: LogFields) => {
    const key = `${level} ${text}`
    let repeats = texts.get(key)
    if (repeats === undefined) {
      if (texts.size >= MAX_TEXTS) texts.delete(texts.keys().next().value as string)
      texts.set(key, (repeats = { ends: 0, count: 0, left: 0 }))
    }
    const time = now()
    if (time >= repeats.ends) {
      repeats.ends = time + interval
      repeats.count = 0
    }
    const over = ++repeats.count - first
    if (over > 0 && (every === 0 || over % every !== 0)) {
      repeats.left++
      return
    }
    const { left } = repeats
    repeats.left = 0
    log[level](text, left === 0 ? fields : { ...fields, suppressed: left })
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
