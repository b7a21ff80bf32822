import type protobufjs from 'protobufjs'
import { isEnum } from './kinds.ts'

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

/**
 * Says what the default of a field must be; undefined where the text is that.
 *
 * @param literals as for `setDefault`
 */
export function defaultProblem(field: protobufjs.Field, literals: readonly string[]): string | undefined {
  const { type, resolvedType } = field
  const text = literals.join('')
  if (isEnum(resolvedType)) return Object.hasOwn(resolvedType.values, text) ? undefined : `a value of ${resolvedType.name}`
  if (type === 'string' || type === 'bytes') return literals.every((each) => /^["']/.test(each)) ? undefined : 'a text'
  if (type === 'bool') return text === 'true' || text === 'false' ? undefined : 'true or false'
  if (type === 'double' || type === 'float') return /^-?(inf|nan|[\d.][\w.+-]*)$/.test(text) ? undefined : 'a number'
  const bits = type.endsWith('64') ? 64n : 32n
  const [least, most] = /^(u|fixed)/.test(type) ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  const isWhole = /^-?(0[xX][\da-fA-F]+|0[0-7]*|[1-9]\d*)$/.test(text)
  const value = isWhole ? integerOf(text) : undefined
  return value !== undefined && value >= least && value <= most ? undefined : `${least} to ${most}`
}

/** Bytes of a text with C's escapes, as in a literal without its quotes and in protoc's `default_value` of bytes. */
function unescaped(text: string): Buffer {
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
