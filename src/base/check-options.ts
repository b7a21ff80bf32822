/** Longest delay of Node's timers, in milliseconds. */
export const MAX_DURATION = 2 ** 31 - 1

/**
 * A duration option in milliseconds, or `fallback` when it is absent. Infinity becomes `MAX_DURATION`.
 * @throws RangeError below `min`, above `MAX_DURATION`, or when it is no number
 */
export function duration(name: string, value: number | undefined, fallback: number, min: number): number {
  if (value === undefined) return fallback
  if (typeof value === 'number' && value >= min) {
    if (value <= MAX_DURATION) return value
    if (value === Number.POSITIVE_INFINITY) return MAX_DURATION
  }
  throw new RangeError(`option ${name} must be ${min} to ${MAX_DURATION} ms, or Infinity, got ${shown(value)}`)
}

/**
 * A duration option where both 0 and Infinity mean that there is no limit; returns 0 for both.
 * @throws RangeError below 0, above `MAX_DURATION`, or when it is no number
 */
export function timeLimit(name: string, value: number | undefined, fallback: number): number {
  return value === Number.POSITIVE_INFINITY ? 0 : duration(name, value, fallback, 0)
}

/**
 * An option that must be a whole number from `min` to `max`.
 * @throws RangeError
 */
export function whole(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`option ${name} must be a whole number from ${min} to ${max}, got ${shown(value)}`)
  }
  return value
}

/**
 * A boolean option, or `fallback` when it is absent.
 * @throws TypeError
 */
export function flag(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw new TypeError(`option ${name} must be true or false, got ${shown(value)}`)
  return value
}

/**
 * Checks that options are an object.
 * @throws TypeError
 */
export function requireObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} must be an object, got ${shown(value)}`)
}

/**
 * Names of an interface's options, for `requireOptions`. The compiler checks that none is missing.
 */
export function optionNames<Options>(names: Record<keyof Options, true>): ReadonlySet<string> {
  return new Set(Object.keys(names))
}

/**
 * Checks that options are an object and have no other names than `known`, because a misspelt option would do nothing.
 * @param prefix put before names in the error's text
 * @throws TypeError
 */
export function requireOptions(name: string, value: unknown, known: ReadonlySet<string>, prefix = ''): void {
  requireObject(name, value)
  for (const key of Object.keys(value as object)) {
    if (!known.has(key)) throw new TypeError(`unknown option ${JSON.stringify(`${prefix}${key}`.slice(0, 64))}`)
  }
}

/**
 * Checks an option that must be a function or absent.
 * @throws TypeError
 */
export function requireFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`option ${name} must be a function, got ${shown(value)}`)
}

/**
 * Checks an option that must be a string or absent.
 * @throws TypeError
 */
export function requireText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw new TypeError(`option ${name} must be a string, got ${shown(value)}`)
}

/**
 * Checks an option that must be a list of strings or absent.
 * @throws TypeError
 */
export function requireNames(name: string, value: unknown): void {
  if (value === undefined) return
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string'))
    throw new TypeError(`option ${name} must be a list of strings, got ${shown(value)}`)
}

/**
 * Checks an option that must be an object that has all `methods`.
 * @throws TypeError
 */
export function requireMethods(name: string, value: unknown, ...methods: string[]): void {
  const given = Object(value) as Record<string, unknown>
  const missing = methods.find((method) => typeof given[method] !== 'function')
  if (given !== value || missing !== undefined)
    throw new TypeError(
      `option ${name} must be an object${missing === undefined ? '' : ` with the method ${missing}`}, got ${shown(value)}`,
    )
}

/**
 * Checks an option that must be absent or a list of objects that have all `methods`.
 * @throws TypeError that names the place in the list
 */
export function requireAll(name: string, value: unknown, ...methods: string[]): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw new TypeError(`option ${name} must be a list, got ${shown(value)}`)
  for (const [i, each] of value.entries()) requireMethods(`${name}[${i}]`, each, ...methods)
}

/**
 * Checks an option that must be an AbortSignal or absent. A signal of another realm or library is accepted.
 * @throws TypeError
 */
export function requireSignal(name: string, value: unknown): void {
  if (value === undefined) return
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function')
    throw new TypeError(`option ${name} must be an AbortSignal, got ${shown(value)}`)
}

/**
 * Checks an option that must be absent or an object whose values are strings. A Map or Headers has no such values: all
 * it holds would be lost.
 * @throws TypeError
 */
export function requireMeta(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Symbol.iterator in value)
    throw new TypeError(`option ${name} must be a plain object, got ${shown(value)}`)
  for (const key of Object.keys(value)) {
    const each: unknown = (value as Record<string, unknown>)[key]
    if (typeof each !== 'string')
      throw new TypeError(`option ${name}: the value of ${JSON.stringify(key.slice(0, 64))} must be a string, got ${shown(each)}`)
  }
}

const closeNames: ReadonlySet<string> = new Set(['timeout'])

/**
 * The option `timeout` of a method `close`, in milliseconds.
 * @throws RangeError as `duration`; TypeError for other options
 */
export function closeTimeout(options: { timeout?: number | undefined } | undefined, fallback: number): number {
  if (options !== undefined) requireOptions('options', options, closeNames)
  return duration('timeout', options?.timeout, fallback, 0)
}

/** `value` as an error's text shows it. Never throws. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64))
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
