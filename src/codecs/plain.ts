import { bodyText, type Codec } from './codec.ts'
import { fixedDecimal } from './decimal.ts'

/**
 * Scalars as their text (docs/spec/wire.md#plain). Go decodes into the type of the handler's argument. JavaScript has
 * no such type, so the result is always the text itself, in which invalid UTF-8 appears as U+FFFD.
 */
export const plainCodec: Codec = {
  id: 115,
  name: 'plain',

  encode(value) {
    if (typeof value === 'string') return value
    if (value === null || value === undefined) return ''
    if (typeof value === 'number') return fixedDecimal(value)
    if (typeof value === 'boolean' || typeof value === 'bigint') return `${value}`
    if (value instanceof Uint8Array) return value
    throw new TypeError(`plain cannot encode ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}`)
  },

  decode(buffer, start, end, hint) {
    return bodyText(buffer, start, end, hint)
  },
}
