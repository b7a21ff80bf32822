import { hasToJson, kindOf, represented } from '../record.ts'

/** Deepest nesting that is written; circles end here too. Writing recurses, so the stack needs a bound. */
const MAX_DEPTH = 1000

type Members = Readonly<Record<string, unknown>>

/**
 * The members of an object as they are written (`represented`). Members that are undefined are left out, as in JSON.
 */
export function membersOf(value: Members): { keys: readonly string[]; members: Members } {
  const keys = Object.keys(value)
  for (const key of keys) {
    const member = value[key]
    if (member === undefined || hasToJson(member)) return chosen(value, keys)
  }
  return { keys, members: value }
}

function chosen(value: Members, keys: readonly string[]): { keys: readonly string[]; members: Members } {
  const members: Record<string, unknown> = Object.create(null)
  for (const key of keys) {
    const member = represented(value[key], key)
    if (member !== undefined) members[key] = member
  }
  return { keys: Object.keys(members), members }
}

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

/**
 * Checks the nesting of a value that is written.
 * @throws RangeError
 */
export function requireShallow(codec: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`${codec}: nests deeper than ${MAX_DEPTH}, or in a circle`)
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
