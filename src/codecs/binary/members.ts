import { kindOf } from '../record.ts'

/** Deeper values are refused, circles among them: writing goes down by recursion. */
const MAX_DEPTH = 1000

/** The keys of an object without the members that are undefined, which are left out as in JSON. */
export function keysOf(value: Readonly<Record<string, unknown>>): string[] {
  const keys = Object.keys(value)
  for (const key of keys) if (value[key] === undefined) return keys.filter((each) => value[each] !== undefined)
  return keys
}

/**
 * A Map whose keys are text or whole numbers, which are read back as text.
 * @param codec its name, for what is thrown
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

/** @throws RangeError */
export function requireShallow(codec: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`${codec}: nests deeper than ${MAX_DEPTH}, or in a circle`)
}

/** Milliseconds since 1970. @throws RangeError for an invalid Date */
export function timeOf(codec: string, date: Date): number {
  const time = date.getTime()
  if (Number.isNaN(time)) throw new RangeError(`${codec}: an invalid Date`)
  return time
}

/** True for numbers that are written as integers: -0 is none. */
export function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}
