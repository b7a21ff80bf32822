import { bodyText, type Codec } from '../codec.ts'

/**
 * Scalars as their text (spec/wire.md §3.1). Go decodes into the type of the handler's argument; JavaScript has none, so
 * the result is always the text itself, in which bytes that are not UTF-8 appear as U+FFFD.
 */
export const plainCodec: Codec = {
  id: 115,
  name: 'plain',

  encode(value) {
    if (typeof value === 'string') return value
    if (value === null || value === undefined) return ''
    if (typeof value === 'number') return decimal(value)
    if (typeof value === 'boolean' || typeof value === 'bigint') return `${value}`
    if (value instanceof Uint8Array) return value
    throw new TypeError(`plain cannot encode ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}`)
  },

  decode(buffer, start, end, hint) {
    return bodyText(buffer, start, end, hint)
  },
}

/** The shortest decimal that reads back as the same number, without exponent: Go's FormatFloat(value, 'f', -1, 64). */
function decimal(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  if (Object.is(value, -0)) return '-0'
  const text = `${value}`
  const mark = text.indexOf('e')
  return mark < 0 ? text : expand(text.slice(0, mark), Number(text.slice(mark + 1)))
}

/** `[-]d[.ddd]` times ten to the `exponent`. JavaScript writes an exponent from 1e21 up and below 1e-6. */
function expand(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace('-', '').replace('.', '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return `${sign}${digits}${'0'.repeat(exponent + 1 - digits.length)}`
}
