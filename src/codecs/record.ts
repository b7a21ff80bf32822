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
