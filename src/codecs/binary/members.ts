import { kindOf } from '../record.ts'

/** Deepest nesting that is written; circles end here too. Writing recurses, so the stack needs a bound. */
export const MAX_DEPTH = 1000

/**
 * `value` as a Map whose keys are text or whole numbers. Both are read back as text.
 * @param codec name of the codec, for error texts
 * @throws TypeError for any other value or key
 */
export function requireMap(codec: string, value: unknown): ReadonlyMap<string | number | bigint, unknown> {
  if (!(value instanceof Map)) throw new TypeError(`${codec} cannot encode ${kindOf(value)}`)
  for (const key of value.keys()) {
    if (typeof key !== 'string' && typeof key !== 'bigint' && !Number.isSafeInteger(key)) {
      throw new TypeError(`${codec}: a key must be a string or a whole number, not ${kindOf(key)}`)
    }
  }
  return value
}

/** @throws RangeError for a value that nests deeper than `MAX_DEPTH` */
export function refuseDepth(codec: string): never {
  throw new RangeError(`${codec}: nests deeper than ${MAX_DEPTH}, or in a circle`)
}

/**
 * The milliseconds since 1970 of a Date.
 * @throws RangeError for an invalid Date
 */
export function timeOf(codec: string, date: Date): number {
  const time = date.getTime()
  if (Number.isNaN(time)) throw new RangeError(`${codec}: an invalid Date`)
  return time
}

/** True for numbers that are written as integers; false for -0. */
export function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}
