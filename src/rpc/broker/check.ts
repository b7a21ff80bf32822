/**
 * An option that must be a number from `min` to `max`, fractions allowed, or `fallback` when it is absent.
 *
 * @throws RangeError
 */
export function numberOption(name: string, value: number | undefined, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !(value >= min && value <= max))
    throw new RangeError(`option ${name} must be a number from ${min} to ${max}, got ${String(value).slice(0, 64)}`)
  return value
}

/**
 * An option that must be a whole number of at least `min`, or `fallback` when it is absent.
 *
 * @throws RangeError
 */
export function countOption(name: string, value: number | undefined, fallback: number, min: number): number {
  if (value === undefined) return fallback
  if (!Number.isSafeInteger(value) || value < min)
    throw new RangeError(`option ${name} must be a whole number of at least ${min}, got ${String(value).slice(0, 64)}`)
  return value
}
