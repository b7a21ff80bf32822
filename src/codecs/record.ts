/** An object whose own keys are what it holds: a literal, one without prototype, or of a class. No array, Map, Date, Error … */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.prototype.toString.call(value) === '[object Object]'
}

/** How a refused value is named: `an array`, `a Date`, `a function`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  const kind = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`
}

/**
 * What a codec writes for `value`: what its method `toJSON` returns, as for JSON.stringify, else itself. Dates and bytes are themselves: they have
 * such a method, and codecs a better form for them, or none.
 * @param key of the member, the index of an item, '' for the body itself
 */
export function represented(value: unknown, key: string | number | bigint): unknown {
  return hasToJson(value) ? value.toJSON(`${key}`) : value
}

export function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof (value as { toJSON?: unknown }).toJSON === 'function' && !(value instanceof Date) && !(value instanceof Uint8Array)
}
