/**
 * A value as a text that programs of other languages write in the same way, so that what they read can be compared with what was meant:
 * `n1` whole numbers up to 2^53 and BigInts, `f…` other floats by their bits, `t…` text and `b…` bytes in hexadecimal, `d…` Dates in milliseconds,
 * `[…]`, `{…}` sorted by key.
 */
export function plainForm(value: unknown): string {
  if (value === undefined || value === null || value === true || value === false) return String(value)
  if (typeof value === 'bigint') return `n${value}`
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0) ? `n${value}` : `f${bits(value)}`
  if (typeof value === 'string') return `t${Buffer.from(value).toString('hex')}`
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return `d${value.getTime()}`
  if (Array.isArray(value)) return `[${value.map(plainForm).join()}]`
  if (typeof value !== 'object' || (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null))
    throw new TypeError(`no plain form of ${typeof value}`)
  const members = Object.entries(value).map(([key, member]) => `${plainForm(key)}:${plainForm(member)}`)
  return `{${members.sort().join()}}`
}

function bits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return Number.isNaN(value) ? 'nan' : bytes.toString('hex')
}
