import type protobufjs from 'protobufjs'

const longs = /^(u?int|sint|s?fixed)64$/

/**
 * Sets the default of a field by its text, which protobufjs reads too roughly: 64-bit integers as digits, bytes as
 * base64, text as it is meant.
 *
 * @param literals the texts in their quotes for text and bytes, else one number or name
 */
export function setDefault(field: protobufjs.Field, literals: readonly string[]): void {
  const { type, options } = field
  if (options?.default === undefined) return
  if (longs.test(type)) options.default = integerOf(literals.join('')).toString()
  if (type !== 'string' && type !== 'bytes') return
  const bytes = Buffer.concat(literals.map((each) => unescaped(each.slice(1, -1))))
  options.default = type === 'bytes' ? bytes.toString('base64') : bytes.toString()
}

/** Bytes of a text with C's escapes, as in a literal without its quotes and in protoc's `default_value` of bytes. */
export function unescaped(text: string): Buffer {
  const parts = text.matchAll(/\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))|[^\\]+/g)
  const bytes = [...parts].map(([whole, octal, hex, short, long, letter]) => {
    if (octal !== undefined) return Buffer.from([Number.parseInt(octal, 8) & 0xff])
    if (hex !== undefined) return Buffer.from([Number.parseInt(hex, 16)])
    const point = short ?? long
    if (point !== undefined) return Buffer.from(String.fromCodePoint(Number.parseInt(point, 16)))
    return Buffer.from(letter === undefined ? whole : (LETTERS[letter] ?? letter))
  })
  return Buffer.concat(bytes)
}

const LETTERS: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function integerOf(text: string): bigint {
  const digits = text.replace('-', '').replace(/^0(?=[0-7])/, '0o')
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits)
}
