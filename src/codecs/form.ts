import { badMessage } from '../base/errors/status.ts'
import { MAX_FORM_PARAMETERS } from '../base/limits.ts'
import { compareUtf8 } from '../base/text/compare-utf8.ts'
import { TextHint } from '../message/message.ts'
import { bodyText, type Codec } from './codec.ts'
import { fixedDecimal } from './decimal.ts'
import { isRecord, kindOf, represented } from './record.ts'

/**
 * Flat parameters as in a query string (docs/spec/wire.md#form): `a=1&b=x&b=y`, sorted by key as Go's url.Values.Encode
 * writes them.
 *
 * - Encodes an object, a Map or URLSearchParams. A value is text, a number, a boolean, a BigInt or a list of those,
 *   whose order is kept (Go reverses the lists of a struct, docs/spec/go-defects.md W25); null is an empty value,
 *   undefined is left out. Nested values are a TypeError. `toJSON` counts as in JSON.
 * - Decodes to an object without prototype: text for a key that occurs once, a list of texts for one that occurs
 *   several times.
 * - An object without keys is an empty body, which is received as undefined.
 */
export const formCodec: Codec = {
  id: 102,
  name: 'form',

  encode(value) {
    const pairs: [key: string, text: string][] = []
    for (const [key, member] of entriesOf(represented(value, ''))) {
      if (typeof key !== 'string') throw new TypeError(`form: a key must be a string, not ${kindOf(key)}`)
      const held = represented(member, key)
      if (Array.isArray(held)) for (const [i, item] of held.entries()) pairs.push([key, textOf(key, represented(item, i))])
      else if (held !== undefined) pairs.push([key, textOf(key, held)])
    }
    // The sort is stable, so the values of one key stay in order.
    pairs.sort(([a], [b]) => compareUtf8(a, b))
    return pairs.map(([key, text]) => `${queryEscape(key)}=${queryEscape(text)}`).join('&')
  },

  decode(buffer, start, end) {
    // One UTF-16 unit for each byte: escapes stand for bytes, and only all bytes of a value together are UTF-8.
    const parameters = bodyText(buffer, start, end, TextHint.Ascii).split('&', MAX_FORM_PARAMETERS + 1)
    if (parameters.length > MAX_FORM_PARAMETERS) throw badMessage(`form: more than ${MAX_FORM_PARAMETERS} parameters`)
    const form: Record<string, string | string[]> = Object.create(null)
    for (const parameter of parameters) {
      if (parameter === '') continue
      if (parameter.includes(';')) throw badMessage('form: invalid semicolon separator in query')
      const equals = parameter.indexOf('=')
      const key = queryUnescape(equals < 0 ? parameter : parameter.slice(0, equals))
      const value = equals < 0 ? '' : queryUnescape(parameter.slice(equals + 1))
      const held = form[key]
      if (held === undefined) form[key] = value
      else if (typeof held === 'string') form[key] = [held, value]
      else held.push(value)
    }
    return form
  },
}

function entriesOf(value: unknown): Iterable<[key: unknown, value: unknown]> {
  if (value === null) return []
  if (value instanceof Map || value instanceof URLSearchParams) return value
  if (isRecord(value)) return Object.entries(value)
  throw new TypeError(`form cannot encode ${kindOf(value)}`)
}

function textOf(key: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return fixedDecimal(value)
    case 'boolean':
    case 'bigint':
      return `${value}`
  }
  if (value === null || value === undefined) return ''
  throw new TypeError(`form: the value of ${JSON.stringify(key)} is ${kindOf(value)}`)
}

/** Go's url.QueryEscape. Lone surrogates become U+FFFD. */
function queryEscape(text: string): string {
  if (/^[\w.~-]*$/.test(text)) return text
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

/** Go's url.QueryUnescape: the text whose UTF-8 bytes are in `bytes`, one to a unit. Invalid UTF-8 becomes U+FFFD. */
function queryUnescape(bytes: string): string {
  if (/^[\0-*,-\x7f]*$/.test(bytes) && !bytes.includes('%')) return bytes
  const spelt = Buffer.allocUnsafe(bytes.length)
  let size = 0
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes.charCodeAt(at)
    if (byte === PLUS) {
      byte = SPACE
    } else if (byte === PERCENT) {
      byte = hexDigit(bytes.charCodeAt(at + 1)) * 16 + hexDigit(bytes.charCodeAt(at + 2))
      if (!(byte >= 0)) throw badMessage(`form: invalid URL escape ${JSON.stringify(bytes.slice(at, at + 3))}`)
      at += 2
    }
    spelt[size++] = byte
  }
  return spelt.toString('utf8', 0, size)
}

const PLUS = 0x2b
const SPACE = 0x20
const PERCENT = 0x25

/** The value of a hexadecimal digit; NaN for anything else, also past the end. */
function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const lower = unit | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN
}
