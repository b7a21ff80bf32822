/**
 * Whether `value` is an object whose content is its own keys: a literal, an object without prototype, or an instance of
 * a class. False for an array, Map, Date, Error …
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.prototype.toString.call(value) === '[object Object]'
}

/** The name of a refused value's kind for error texts: `an array`, `a Date`, `a function`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  const kind = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`
}

/**
 * The value that a codec writes for `value`: the result of its method `toJSON`, as for JSON.stringify, else `value`
 * itself. Dates and bytes are left as they are, because codecs have a better form for them than their `toJSON`, or
 * none.
 * @param key key of the member, index of the item, '' for the body itself
 */
export function represented(value: unknown, key: string | number | bigint): unknown {
  return hasToJson(value) ? value.toJSON(`${key}`) : value
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof (value as { toJSON?: unknown }).toJSON === 'function' && !(value instanceof Date) && !(value instanceof Uint8Array)
}
