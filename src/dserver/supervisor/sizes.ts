const units: Readonly<Record<string, number>> = { '': 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 }

/**
 * A number of bytes: a whole number, or text such as `512KB`, `10MB`, `1GB` or `1048576`. A kilobyte has 1,024 bytes,
 * as in Go.
 * @throws RangeError for anything else; Go takes it for 50 MiB
 */
export function bytesOf(name: string, value: number | string): number {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value
  } else if (typeof value === 'string') {
    const [, number, unit] = /^\s*(\d{1,15})\s*([a-zA-Z]{0,3})\s*$/.exec(value) ?? []
    const factor = unit === undefined ? undefined : units[unit.toUpperCase()]
    if (factor !== undefined && Number.isSafeInteger(Number(number) * factor)) return Number(number) * factor
  }
  throw new RangeError(`option ${name} must be a number of bytes, or text such as '10MB', got ${JSON.stringify(value)}`)
}
